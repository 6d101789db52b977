//go:build !noasm && !linux

package kernel

import "errors"

func requestTiles() error { return errors.New("asking for the tiles' use is known for Linux only") }
