package html

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/reports/chart"
)

// style is the page's style: the file, and the classes that are one for each
// ink and each shade.
var style = pageStyle + generatedStyle()

func generatedStyle() string {
	var b strings.Builder
	for _, name := range chart.Inks {
		fmt.Fprintf(&b, ".fill-%[1]s{fill:var(--%[1]s)}.stroke-%[1]s{stroke:var(--%[1]s)}.fill-bg-%[1]s{background:var(--%[1]s)}\n", name)
	}
	for _, name := range chart.ShadeInks {
		for k := range chart.Levels + 1 {
			fmt.Fprintf(&b, ".stroke-%[1]s-%[2]d{stroke:color-mix(in srgb,var(--%[1]s) %[3]d%%,var(--paper-shade))}\n", name, k, k*100/chart.Levels)
		}
	}
	return b.String()
}
