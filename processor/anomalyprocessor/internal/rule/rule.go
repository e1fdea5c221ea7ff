package rule

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// DefaultGate asks what a bottleneck costs rather than how large it is, so that a rule is right on a laptop's
// 40-second job and on a ten-hour one: at least min_impact seconds, and min_share of the run so far. A rule without a
// gate of its own gets the parameters (5 s and 5 %) and the input run (spark.application.duration, s) that it uses.
const DefaultGate = "impact >= min_impact && impact >= min_share * run"

var (
	defaultGateParameters = map[string]float64{"min_impact": 5, "min_share": 0.05}
	defaultGateInput      = InputDefinition{Metric: "spark.application.duration"}
)

// Facts are what is known of one entity at one time. A rule reads the same facts from data points and from spans: a
// span carries an input as the attribute that SpanAttribute names.
type Facts interface {
	// Number returns the input at the index in Rule.Inputs, or false if it is not known.
	Number(input int) (float64, bool)
	// Attribute returns an attribute of the entity or of its resource, or "".
	Attribute(name string) string
}

// Verdict is what a rule makes of facts.
type Verdict struct {
	Severity Severity
	// Impact is the time lost so far, in seconds; NaN if the rule does not tell.
	Impact float64
}

// Input is a fact that a rule needs.
type Input struct {
	Name string
	InputDefinition
}

// SpanAttribute is the name under which a span carries the input: the metric's name and the selected values in the
// order of their attributes' names, between dots, such as spark.stage.task.run_time.max.
func (i Input) SpanAttribute() string {
	parts := []string{i.Metric}
	for _, attribute := range sortedKeys(i.Where) {
		parts = append(parts, i.Where[attribute])
	}
	return strings.Join(parts, ".")
}

// Rule is a compiled rule. It is not safe for concurrent use.
type Rule struct {
	Name            string
	Description     string
	ThresholdSource string
	Entity          []string
	Inputs          []Input
	Parameters      map[string]float64
	Levels          Levels
	For             time.Duration
	CausedBy        []string
	Spends          Activity

	scoped         []scope
	scale          scale
	steps          []step
	when           *vm.Program
	value          *vm.Program
	impact         *vm.Program
	gate           *vm.Program
	reason, advice *template.Template

	vm  vm.VM
	env map[string]any
}

type step struct {
	name    string
	program *vm.Program
	yesNo   bool // the result is true or false, not a number
}

// names that expressions use must be identifiers of both the expression and the template language.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Compile checks a definition and makes a rule of it. The error names all that is wrong, each with file and line.
func Compile(d Definition) (*Rule, error) {
	r := &Rule{
		Name:            d.Name,
		Description:     d.Description,
		ThresholdSource: d.ThresholdSource,
		Entity:          d.Entity,
		Parameters:      d.parameters(),
		Levels:          d.Levels,
		For:             d.For,
		CausedBy:        d.CausedBy,
		Spends:          d.Spends,
		env:             map[string]any{"attribute": func(string) string { return "" }},
	}
	c := &compiler{definition: d, env: r.env}

	for name, required := range map[string]string{
		"description": d.Description, "threshold_source": d.ThresholdSource, "value": d.Value.Source,
		"reason": d.Reason.Source, "advice": d.Advice.Source,
	} {
		if strings.TrimSpace(required) == "" {
			c.failf(d.Position.Line, "needs %s", name)
		}
	}
	if len(d.Inputs) == 0 {
		c.failf(d.Position.Line, "needs inputs")
	}
	if d.Impact.Source == "" && d.Gate.Source == "" {
		c.failf(d.Position.Line, "needs impact, in seconds, or a gate that does without")
	}
	if d.For < 0 {
		c.failf(d.Position.Line, "for must not be negative")
	}
	var err error
	if r.scale, err = newScale(d.Levels); err != nil {
		c.failf(d.Position.Line, "%v", err)
	}

	inputs := d.inputs()
	for _, name := range sortedKeys(inputs) {
		line := inputs[name].Line
		if line == 0 {
			line = d.Position.Line // of the default gate
		}
		c.declare(line, "input", name)
		if inputs[name].Metric == "" {
			c.failf(line, "input %q needs a metric", name)
		}
		r.Inputs = append(r.Inputs, Input{Name: name, InputDefinition: inputs[name]})
	}
	for _, name := range sortedKeys(r.Parameters) {
		c.declare(d.Position.Line, "parameter", name)
		r.env[name] = r.Parameters[name]
	}
	for _, s := range d.Define {
		program, yesNo := c.step(s.Expression)
		c.declare(s.Expression.Line, "definition", s.Name)
		if yesNo {
			r.env[s.Name] = true
		}
		r.steps = append(r.steps, step{s.Name, program, yesNo})
	}
	if d.When.Source != "" {
		r.when = c.expression(d.When, expr.AsBool())
	}
	r.value = c.expression(d.Value, expr.AsFloat64())
	c.declare(d.Value.Line, "result", "value")
	if d.Impact.Source != "" {
		r.impact = c.expression(d.Impact, expr.AsFloat64())
		c.declare(d.Impact.Line, "result", "impact")
	}
	r.gate = c.expression(d.gate(), expr.AsBool())
	r.reason = c.template(d.Reason)
	r.advice = c.template(d.Advice)
	for _, s := range d.scoped {
		if !s.disabled {
			var err error
			s.rule, err = Compile(s.definition)
			c.errs = errors.Join(c.errs, err)
		}
		r.scoped = append(r.scoped, s)
	}
	if c.errs != nil {
		return nil, c.errs
	}
	return r, nil
}

// Judge returns what the rule makes of the facts, or false if they are not enough to judge by: a required input is
// absent, or the value or the impact is not a finite number.
func (r *Rule) Judge(facts Facts) (Verdict, bool) {
	r.env["attribute"] = facts.Attribute
	for i, input := range r.Inputs {
		number, ok := facts.Number(i)
		if !ok {
			if input.Default == nil {
				return Verdict{}, false
			}
			number = *input.Default
		}
		r.env[input.Name] = number
	}
	for _, s := range r.steps {
		if s.yesNo {
			r.env[s.name] = r.holds(s.program)
		} else {
			r.env[s.name] = r.number(s.program)
		}
	}
	if r.when != nil && !r.holds(r.when) {
		return Verdict{}, true
	}
	value := r.number(r.value)
	if !finite(value) {
		return Verdict{}, false
	}
	r.env["value"] = value
	impact := math.NaN()
	if r.impact != nil {
		if impact = r.number(r.impact); !finite(impact) {
			return Verdict{}, false
		}
		r.env["impact"] = impact
	}
	severity := r.scale.of(value)
	if severity == None || !r.holds(r.gate) {
		return Verdict{}, true
	}
	return Verdict{severity, impact}, true
}

// Words says in words what is wrong and what to do, for facts that were judged.
func (r *Rule) Words(facts Facts) (reason, advice string) {
	r.Judge(facts)
	return say(r.reason, facts, r.env), say(r.advice, facts, r.env)
}

func (r *Rule) number(program *vm.Program) float64 {
	result, err := r.vm.Run(program, r.env)
	if err != nil {
		return math.NaN()
	}
	return result.(float64)
}

func (r *Rule) holds(program *vm.Program) bool {
	result, err := r.vm.Run(program, r.env)
	return err == nil && result.(bool)
}

func finite(x float64) bool {
	return !math.IsNaN(x) && !math.IsInf(x, 0)
}

// gate returns the gate, which is DefaultGate where none is written.
func (d Definition) gate() Text {
	if d.Gate.Source == "" {
		return Text{Source: DefaultGate, Line: d.Position.Line}
	}
	return d.Gate
}

// parameters returns a copy of the parameters, with those of the default gate where it is used.
func (d Definition) parameters() map[string]float64 {
	parameters := map[string]float64{}
	if d.Gate.Source == "" {
		for name, number := range defaultGateParameters {
			parameters[name] = number
		}
	}
	for name, number := range d.Parameters {
		parameters[name] = number
	}
	return parameters
}

// inputs returns the inputs, with that of the default gate where it is used.
func (d Definition) inputs() map[string]InputDefinition {
	inputs := map[string]InputDefinition{}
	if d.Gate.Source == "" {
		inputs["run"] = defaultGateInput
	}
	for name, input := range d.Inputs {
		inputs[name] = input
	}
	return inputs
}

// compiler compiles the parts of one definition, and collects what is wrong.
type compiler struct {
	definition Definition
	env        map[string]any // the names declared so far, each with a value of its type, and the function attribute
	errs       error
}

func (c *compiler) failf(line int, format string, args ...any) {
	problem := fmt.Errorf("%s: rule %q: %w", Position{c.definition.Position.File, line}, c.definition.Name,
		fmt.Errorf(format, args...))
	c.errs = errors.Join(c.errs, problem)
}

// declare makes a name known to the expressions and templates that follow.
func (c *compiler) declare(line int, kind, name string) {
	if !identifier.MatchString(name) {
		c.failf(line, "%s %q: a name is made of a-z, 0-9 and _, and begins with a letter", kind, name)
	}
	if _, taken := c.env[name]; taken {
		c.failf(line, "%s %q: the name is taken by something else in this rule", kind, name)
	}
	c.env[name] = 1.0
}

func (c *compiler) expression(text Text, result expr.Option) *vm.Program {
	if strings.TrimSpace(text.Source) == "" {
		return nil
	}
	tree, err := parser.Parse(text.Source)
	if err != nil {
		c.failf(text.lineOf(err), "%s", message(err))
		return nil
	}
	unknown := &unknownNames{known: c.env}
	ast.Walk(&tree.Node, unknown)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(unknown.found))) {
		c.failf(text.Line, "unknown name %q%s", name, Suggest(name, sortedKeys(c.env)))
	}
	if len(unknown.found) > 0 {
		return nil
	}
	program, err := expr.Compile(text.Source, expr.Env(c.env), result)
	if err != nil {
		c.failf(text.lineOf(err), "%s", message(err))
		return nil
	}
	return program
}

// step compiles an expression that may be a number or true or false.
func (c *compiler) step(text Text) (program *vm.Program, yesNo bool) {
	program = c.expression(text, expr.AsAny())
	if program == nil {
		return nil, false
	}
	if result := program.Node().Type(); result != nil && result.Kind() == reflect.Bool {
		return program, true
	}
	return c.expression(text, expr.AsFloat64()), false
}

// lineOf returns the line of a fault in an expression that begins at the text's line.
func (t Text) lineOf(err error) int {
	var fault *file.Error
	if errors.As(err, &fault) && fault.Line > 1 {
		return t.Line + fault.Line - 1
	}
	return t.Line
}

// message is the fault without the expression library's own account of the place.
func message(err error) string {
	var fault *file.Error
	if errors.As(err, &fault) {
		return fault.Message + strings.ReplaceAll(fault.Snippet, "\n", "\n   ")
	}
	return err.Error()
}

// unknownNames finds the names in an expression that nothing was declared for.
type unknownNames struct {
	known map[string]any
	local []string
	found []string
}

func (u *unknownNames) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		u.local = append(u.local, n.Name)
		u.found = slices.DeleteFunc(u.found, func(name string) bool { return name == n.Name })
	case *ast.IdentifierNode:
		if _, ok := u.known[n.Value]; !ok && !slices.Contains(u.local, n.Value) {
			u.found = append(u.found, n.Value)
		}
	}
}
