//! The data plane for real requests: somebody asks the load balancer for a page.
