// How wide the page is, in steps, as the component's state "width"; said only where it is narrower
// than the page supposes, since every word of it draws the page anew.

const STEP = 40; // pixels

export default function ({ data, parentElement, setStateValue }) {
  const ruler = parentElement.querySelector(".ruler");
  ruler.told ??= data.supposed;
  ruler.observer ??= new ResizeObserver(tell);
  ruler.observer.observe(ruler);
  return () => ruler.observer.disconnect();

  function tell() {
    const width = Math.min(data.most, Math.floor(ruler.clientWidth / STEP) * STEP);
    if (width <= 0 || width === ruler.told) return;
    ruler.told = width;
    setStateValue("width", width);
  }
}
