package chart

import (
	"fmt"
	"strconv"
	"strings"
)

// Palette gives inks their colours, as #rrggbb. The shades of inks (see Shade) are mixed
// with its "paper-shade".
type Palette map[string]string

// Light is the light style, on white paper. It has the colours of the pages' print style.
var Light = Palette{
	"paper": "#ffffff", "paper-shade": "#f4f4f4", "ink": "#000000", "muted": "#444444", "grid": "#cccccc",
	"better": "#0a6a4e", "worse": "#a02c12", "noise": "#555555",
	"run0": "#2b66a5", "run1": "#c2570c", "run2": "#5d7d1e", "run3": "#8a4a9e", "run4": "#0d7d82", "run5": "#a8325e", "run6": "#7a6213", "run7": "#555f6e",
	"heat": "#84a5c5", "down": "#cf8a79", "up": "#72b09c", "deep": "#1d4f8a",
}

// Levels is the number of shades of an ink beyond its lightest.
const Levels = 32

// ShadeInks are the inks that have shades, from the shade of the paper to their own.
var ShadeInks = []string{"heat", "down", "up", "deep"}

// Shade is the ink of a share from 0 to 1: not the lightest where it is above 0.
func Shade(ink string, share float64) string {
	level := int(share*Levels + 0.5)
	if level == 0 && share > 0 {
		level = 1
	}
	return ink + "-" + strconv.Itoa(min(level, Levels))
}

// RGB is an ink's colour, from 0 to 255. An ink that the palette does not have is black.
func (p Palette) RGB(ink string) (rgb [3]uint8) {
	if hex, ok := p[ink]; ok {
		n, _ := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
		return [3]uint8{uint8(n >> 16), uint8(n >> 8), uint8(n)}
	}
	if k := strings.LastIndexByte(ink, '-'); k > 0 {
		if level, err := strconv.Atoi(ink[k+1:]); err == nil {
			from, to := p.RGB("paper-shade"), p.RGB(ink[:k])
			for c := range rgb {
				rgb[c] = uint8((int(from[c])*(Levels-level) + int(to[c])*level + Levels/2) / Levels)
			}
		}
	}
	return rgb
}

// Hex is the colour as #rrggbb.
func (p Palette) Hex(ink string) string {
	c := p.RGB(ink)
	return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])
}
