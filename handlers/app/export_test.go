package app

// BreakListener has the public listener fail under the service.
func (a *App) BreakListener() error { return a.public.Close() }
