"""First names, in alphabetical order: the people of every sentence that needs some."""

NAMES = (
    "Ada Adam Agnes Alan Albert Alice Alma Anna Anton Aron Bella Ben Boris Bruno Carl Carla "
    "Chloe Clara Cora Daniel Dario David Diana Dora Edith Elena Elias Ella Emil Emma Erik Eva "
    "Felix Fiona Frida Fritz Gita Greta Hana Hans Hugo Ida Igor Irene Ivan Jakob Jane John "
    "Jonas Judith Julia Karin Karl Kenji Kurt Lara Laura Lena Leo Lily Linus Lisa Lucas Maria "
    "Mark Marta Mary Max Mia Milan Milo Nadia Nico Nina Noah Nora Olga Omar Oscar Otto Paul "
    "Petra Philip Rita Rosa Ruth Sam Sara Sofia Tara Theo Tim Tina Tom Uma Vera Victor Will "
    "Yuki Zoe"
).split()
