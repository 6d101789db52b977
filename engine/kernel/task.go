package kernel

// taskColumns is the most columns of a task: their weights and the rows they
// meet should lie in the second-level cache together.
const taskColumns = 256

// TaskColumns is the number of columns, whole panels, of the tasks into which
// threads divide a product with n columns: the widest with which all threads end
// together, within 2% of the best there is. Where there are enough panels, each
// thread gets at least four tasks.
func TaskColumns(s Set, n, threads int) int {
	width := s.PanelWidth()
	panels := (n + width - 1) / width
	// The panels of the thread that gets most, in tasks of p.
	most := func(p int) int {
		tasks := (panels + p - 1) / p
		return (tasks + threads - 1) / threads * p
	}
	widest := max(1, min(taskColumns/width, panels/(4*threads)))
	least := most(widest)
	for p := 1; p < widest; p++ {
		least = min(least, most(p))
	}
	for most(widest)*50 > least*51 {
		widest--
	}
	return widest * width
}
