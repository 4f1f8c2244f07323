package handlers

import "net/http"

// Public returns the handler of the public listener.
func (s *Server) Public() http.Handler { return s.public.Handler }

// Admin returns the handler of the operators' listener.
func (s *Server) Admin() http.Handler { return s.admin.Handler }

// AdminRoutes lists the operators' routes, "GET /healthz" and so on.
func (s *Server) AdminRoutes() (all []string) {
	for _, r := range s.adminRoutes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}
