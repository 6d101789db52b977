package probe

import "math"

// moments accumulates mean and central moments up to the fourth, in one pass
// and without cancellation (Pébay, SAND2008-6212).
type moments struct {
	n, mean, m2, m3, m4 float64
}

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	dn := d / m.n
	dn2 := dn * dn
	t := d * dn * (m.n - 1)
	m.mean += dn
	m.m4 += t*dn2*(m.n*m.n-3*m.n+3) + 6*dn2*m.m2 - 4*dn*m.m3
	m.m3 += t*dn*(m.n-2) - 3*dn*m.m2
	m.m2 += t
}

func (m *moments) merge(o moments) {
	if o.n == 0 {
		return
	}
	n := m.n + o.n
	d := o.mean - m.mean
	d2 := d * d
	a, b := m.n, o.n
	m4 := m.m4 + o.m4 + d2*d2*a*b*(a*a-a*b+b*b)/(n*n*n) +
		6*d2*(a*a*o.m2+b*b*m.m2)/(n*n) + 4*d*(a*o.m3-b*m.m3)/n
	m3 := m.m3 + o.m3 + d*d2*a*b*(a-b)/(n*n) + 3*d*(a*o.m2-b*m.m2)/n
	m.m2 += o.m2 + d2*a*b/n
	m.mean += d * b / n
	m.n, m.m3, m.m4 = n, m3, m4
}

// kurtosis is Pearson's, E[(x-mu)^4]/sigma^4 with the population's sigma: 3 for
// a Gaussian. NaN where all values are equal.
func (m *moments) kurtosis() float64 {
	if m.m2 == 0 {
		return math.NaN()
	}
	return m.n * m.m4 / (m.m2 * m.m2)
}
