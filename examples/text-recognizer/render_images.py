#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Renders the lines of truth.txt as small PNGs: what images/ was made with.

usage: render_images.py [FOLDER]     (default: images/ beside this file)

Line i of truth.txt becomes line{i}.png, black on white, in one of the DejaVu
faces (Debian package fonts-dejavu-core). Needs python3-pil.
"""
import pathlib
import sys

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")
FACES = ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf"]
MARGIN = 6
SIZE = 28


def render(text, face):
    """An 8-bit grey image of one line of text."""
    font = ImageFont.truetype(str(FONTS / face), SIZE)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN), 255)
    ImageDraw.Draw(image).text((MARGIN - left, MARGIN - top), text, font=font, fill=0)
    return image


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate((HERE / "truth.txt").read_text().splitlines()):
        render(text, FACES[index % len(FACES)]).save(folder / f"line{index}.png", optimize=True)


if __name__ == "__main__":
    main()
