#!/usr/bin/env bash
# Makes the fonts of PNG charts: subsets of DejaVu Sans with the letters of European languages and common signs.
# usage: scripts/chart-fonts.sh    (Debian: apt-get install fonttools fonts-dejavu-core)
set -euo pipefail
cd "$(dirname "$0")/../src/formats/charts/fonts"
installed=/usr/share/fonts/truetype/dejavu

# ASCII, Latin-1, Latin Extended-A, Greek; subscripts, punctuation, arrows and mathematical signs that charts use.
characters=U+20-7E,U+A0-17F,U+391-3C9,U+2010-2026,U+2032,U+2080-2089,U+20AC,U+2190-2193,U+2211-2212,U+221A,U+2248,U+2260,U+2264-2265

for name in DejaVuSans DejaVuSans-Bold; do
  # Without kerning and ligatures, a text is as wide as the sum of its characters, which the charts compute.
  pyftsubset "$installed/$name.ttf" --unicodes="$characters" --layout-features='' --no-hinting \
    --notdef-outline --output-file="$name.ttf"
done

# The license of the fonts: the second paragraph of Debian's copyright file, without its indentation.
awk '/^Files: \*$/ { found = 1 } found && /^$/ { exit } found' /usr/share/doc/fonts-dejavu-core/copyright |
  sed -e '/^Files:/d' -e 's/^License: .*$//' -e 's/^ \.$//' -e 's/^ //' >LICENSE
