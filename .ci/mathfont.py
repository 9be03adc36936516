"""The font of formulas in pages: a part of STIX Two Math (SIL Open Font License 1.1), as handcalc/render/formats/page/math.woff2.

    pip install fonttools==4.68.0 brotli==1.2.1
    pip download --no-deps ziamath==0.13 -d FOLDER     (which has the font in it)
    python .ci/mathfont.py FOLDER/ziamath-0.13-py3-none-any.whl [--check]

The part has the letters and signs that formulas of handcalc are made of, their larger forms, and the table of constants by which a
browser places indices and fractions. --check says whether the file that is there is the one that is made; its bytes depend on the
versions of fontTools and Brotli.
"""

from __future__ import annotations

import io
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = "ziamath/fonts/STIXTwoMath-Regular.ttf"
DIGEST = "8f42cb183a85043a4dc3f8e41ac3821eb27bf178d68ace929ba439523622323c"
TARGET = Path(__file__).parents[1] / "handcalc" / "render" / "formats" / "page" / "math.woff2"
NAME = "handcalc Math"
SIGNS = (
    "−·×÷±≈≠≤≥∼→←∈∑∏√∞∂∇⊙⊗⊕⋆∗∘⌊⌋‖∣⊤ᵀ′″⋯…⋮°ℓ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋ˆ˜¯\u0302\u0303\u0304\u00a0\u2002\u2003\u2009\u200a\u205f\u2061\u2062"
)
LETTERS = (*range(0x20, 0x7F), *range(0x391, 0x3CA), 0x3D1, 0x3D5, 0x3F5, 0x210E, *range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C))
GROWING = "()[]|∣‖⌊⌋√∑∏"  # signs that are kept in larger forms, the smaller ones and every third of the others


def made(source: bytes) -> bytes:
    """The font as WOFF2."""
    options = Options(layout_features=[], hinting=False, notdef_outline=True, glyph_names=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 7, 13, 14])
    options.drop_tables += ["DSIG", "GPOS", "GDEF", "GSUB", "gasp"]
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    _thin_out(font["MATH"].table, {font.getBestCmap()[ord(sign)] for sign in GROWING})
    subsetter = Subsetter(options)
    subsetter.populate(unicodes={*map(ord, SIGNS), *LETTERS})
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4):
            record.string = NAME
        elif record.nameID == 6:
            record.string = NAME.replace(" ", "")
    font.flavor = "woff2"
    written = io.BytesIO()
    font.save(written, reorderTables=True)
    return written.getvalue()


def _thin_out(table: Any, growing: set[str]) -> None:
    """Without kerns, and with larger forms of some signs only."""
    table.MathGlyphInfo.MathKernInfo = None
    variants = table.MathVariants
    variants.HorizGlyphCoverage, variants.HorizGlyphConstruction, variants.HorizGlyphCount = None, [], 0
    kept = [
        (name, construction)
        for name, construction in zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction)
        if name in growing
    ]
    for _, construction in kept:
        records = construction.MathGlyphVariantRecord
        if len(records) > 4:
            construction.MathGlyphVariantRecord = [*records[:5], *records[6::3]]
            construction.VariantCount = len(construction.MathGlyphVariantRecord)
    variants.VertGlyphCoverage.glyphs = [name for name, _ in kept]
    variants.VertGlyphConstruction = [construction for _, construction in kept]
    variants.VertGlyphCount = len(kept)


def main(wheel: str, *options: str) -> int:
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read(SOURCE)
    if sha256(source).hexdigest() != DIGEST:
        print(f"another version of the font than this script knows: {sha256(source).hexdigest()}")
        return 1
    font = made(source)
    if "--check" in options:
        same = TARGET.read_bytes() == font
        print(f"{TARGET.name} is {'as' if same else 'not as'} it is made")
        return not same
    TARGET.write_bytes(font)
    print(f"{TARGET.name}: {len(font)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
