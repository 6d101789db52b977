package regularfile

import "path/filepath"

// LinkedDir is the directory of the file that path's symbolic links lead to, where that is another
// than the one in path; "" where it is the same, or path leads nowhere. What a file names beside
// itself may stand in either.
func LinkedDir(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	if dir := filepath.Dir(real); dir != filepath.Clean(filepath.Dir(path)) {
		return dir
	}
	return ""
}
