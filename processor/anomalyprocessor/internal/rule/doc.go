// Package rule says what a rule is: how it is written, checked and compiled, and what it makes of facts. It knows
// neither where facts come from nor what becomes of a verdict.
package rule
