package compare

import (
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// Together corrects the tasks' first metrics of several comparisons as one family (Holm),
// since a table that shows them all has as many chances to be wrong: their adjusted p and
// intervals, verdicts and summaries are of it then. All other metrics stay as they were.
func Together(all []*Comparison) error {
	var family, logs []*stats.Comparison
	for _, c := range all {
		for k := range c.Metrics {
			if r := c.results[k]; c.Metrics[k].Primary {
				family = append(family, &r.Comparison)
				if r.log != nil && r.log != &r.Comparison {
					logs = append(logs, r.log)
				} else {
					logs = append(logs, &r.Comparison)
				}
			}
		}
	}
	if err := stats.Adjust(logs); err != nil {
		return err
	}
	if err := stats.Adjust(family); err != nil {
		return err
	}
	for _, c := range all {
		c.Summary = Summary{}
		for k := range c.Metrics {
			m, r := &c.Metrics[k], c.results[k]
			if !m.Primary {
				continue
			}
			m.Tests, m.Verdict = len(family), verdictOf(&r.Comparison)
			m.Adjusted, m.LowAdjusted, m.HighAdjusted = rundir.Number(r.PAdjusted), rundir.Number(r.LowAdjusted), rundir.Number(r.HighAdjusted)
			m.Ratio, m.RatioLow, m.RatioHigh = r.ratio()
			c.Summary.count(m)
		}
	}
	return nil
}
