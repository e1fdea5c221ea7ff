package rule

import "testing"

// Whatever stands in a file of rules, it is refused with an error or gives rules that judge without a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(slow))
	f.Add([]byte("r:\n  inputs: &i {a: {metric: m, take: max, growth: true, without: {b: c}}}\n  define: {d: a > 1 ? a : 0}\n  caused_by: [r]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		definitions, err := Parse("fuzz.yaml", content)
		if err != nil {
			return
		}
		for _, definition := range definitions {
			r, err := Compile(definition)
			if err != nil {
				continue
			}
			facts := known{rule: r, numbers: map[string]float64{}}
			for i, input := range r.Inputs {
				facts.numbers[input.Name] = float64(i * 1000)
			}
			r.Judge(facts)
			r.Words(facts)
		}
	})
}
