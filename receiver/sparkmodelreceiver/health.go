package sparkmodelreceiver

import (
	"sync"

	"go.uber.org/zap"
)

// health logs once per change of state of whatever can fail again and again: a source, an application, the pipeline.
type health struct {
	logger *zap.Logger
	mu     *sync.Mutex
	down   map[string]bool
}

func newHealth(logger *zap.Logger) health {
	return health{logger: logger, mu: &sync.Mutex{}, down: map[string]bool{}}
}

// report records how the last try went.
func (h health) report(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil && !h.down[name]:
		h.down[name] = true
		h.logger.Warn("can't be read; it is tried again at every poll, and this is said once", zap.String("source", name), zap.Error(err))
	case err == nil && h.down[name]:
		delete(h.down, name)
		h.logger.Info("can be read again", zap.String("source", name))
	}
}

// forget drops what is no longer tried.
func (h health) forget(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.down, name)
}
