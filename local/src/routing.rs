//! Which route a request takes, by the rules of API Gateway's HTTP APIs: the most specific path
//! first (a literal before a variable, a variable before `{proxy+}`), then the method before
//! `ANY`, then `$default`. A final slash counts.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::template::Route;

/// The routes of one API.
#[derive(Debug, Clone)]
pub struct Router {
    routes: Vec<Pattern>,
    default: Option<String>,
}

/// The route a request took.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// Logical id of the function.
    pub function: &'a str,
    /// `METHOD /path/{variable}` or `$default`, as the event says it.
    pub route_key: String,
    /// The path's variables, decoded.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Pattern {
    route: Route,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

impl Router {
    /// A router over these routes.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        let (defaults, paths): (Vec<_>, Vec<_>) =
            routes.into_iter().partition(|route| route.path == "$default");
        let routes = paths.into_iter().map(|route| Pattern { segments: segments(&route), route });
        let default = defaults.into_iter().next().map(|route| route.function);
        Self { routes: routes.collect(), default }
    }

    /// The functions the routes lead to.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.routes
            .iter()
            .map(|pattern| pattern.route.function.as_str())
            .chain(self.default.as_deref())
    }

    /// The route for this method and undecoded path; none if there is not even a `$default`.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let best = self
            .routes
            .iter()
            .filter(|pattern| pattern.route.method == "ANY" || pattern.route.method == method)
            .filter(|pattern| pattern.matches(&parts))
            .min_by_key(|pattern| (pattern.specificity(), pattern.route.method == "ANY"));
        if let Some(pattern) = best {
            return Some(Match {
                function: &pattern.route.function,
                route_key: format!("{} {}", pattern.route.method, pattern.route.path),
                parameters: pattern.parameters(&parts),
            });
        }
        self.default.as_deref().map(|function| Match {
            function,
            route_key: "$default".to_owned(),
            parameters: BTreeMap::new(),
        })
    }
}

impl Pattern {
    fn matches(&self, parts: &[&str]) -> bool {
        let greedy = matches!(self.segments.last(), Some(Segment::Greedy(_)));
        let fits = if greedy {
            parts.len() >= self.segments.len()
        } else {
            parts.len() == self.segments.len()
        };
        fits && self.segments.iter().zip(parts).all(|(segment, part)| match segment {
            Segment::Literal(literal) => *literal == decoded(part),
            Segment::Variable(_) => !part.is_empty(),
            // The rest of the path, of which `/x/` has nothing.
            Segment::Greedy(_) => !part.is_empty() || parts.len() > self.segments.len(),
        })
    }

    /// Smaller is more specific: position by position, literal < variable < greedy.
    fn specificity(&self) -> Vec<u8> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::Variable(_) => 1,
                Segment::Greedy(_) => 2,
            })
            .collect()
    }

    fn parameters(&self, parts: &[&str]) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::new();
        for (at, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Literal(_) => {}
                Segment::Variable(name) => {
                    let part = parts.get(at).copied().unwrap_or_default();
                    parameters.insert(name.clone(), decoded(part));
                }
                Segment::Greedy(name) => {
                    let rest = parts.get(at..).unwrap_or_default().join("/");
                    parameters.insert(name.clone(), decoded(&rest));
                }
            }
        }
        parameters
    }
}

fn segments(route: &Route) -> Vec<Segment> {
    let path = route.path.strip_prefix('/').unwrap_or(&route.path);
    path.split('/')
        .map(|part| match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.to_owned()),
                None => Segment::Variable(name.to_owned()),
            },
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn route(method: &str, path: &str, function: &str) -> Route {
        Route { method: method.into(), path: path.into(), function: function.into() }
    }

    fn key(router: &Router, method: &str, path: &str) -> String {
        router.find(method, path).unwrap().route_key
    }

    #[test]
    fn the_templates_routes_lead_where_they_should() {
        let router = Router::new(Template::embedded().unwrap().routes());
        for (path, expected) in [
            ("/taxii2", "ANY /taxii2"),
            ("/taxii2/", "$default"),
            ("/taxii2/intel/", "ANY /taxii2/{proxy+}"),
            ("/taxii2/intel/collections/x/objects/", "ANY /taxii2/{proxy+}"),
            ("/api/v1/objects", "ANY /api/v1/objects"),
            ("/api/v1/objects/indicator--1", "ANY /api/v1/objects/{id}"),
            ("/api/v1/objects/", "$default"),
            ("/api/v1/objects/a/b", "$default"),
            ("/", "$default"),
            ("/taxii2x", "$default"),
        ] {
            assert_eq!(key(&router, "GET", path), expected, "{path}");
        }
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let router = Router::new(vec![
            route("ANY", "/{proxy+}", "greedy"),
            route("ANY", "/a/{x}", "variable"),
            route("GET", "/a/{x}", "method"),
            route("ANY", "/a/b", "literal"),
            route("ANY", "$default", "default"),
        ]);
        assert_eq!(key(&router, "GET", "/a/b"), "ANY /a/b");
        assert_eq!(key(&router, "GET", "/a/c"), "GET /a/{x}");
        assert_eq!(key(&router, "POST", "/a/c"), "ANY /a/{x}");
        assert_eq!(key(&router, "POST", "/a/c/d"), "ANY /{proxy+}");
        assert_eq!(key(&router, "POST", "/"), "$default");
    }

    #[test]
    fn variables_are_decoded() {
        let router =
            Router::new(vec![route("ANY", "/o/{id}", "f"), route("ANY", "/p/{proxy+}", "g")]);
        assert_eq!(router.find("GET", "/o/a%20b").unwrap().parameters["id"], "a b");
        assert_eq!(router.find("GET", "/p/a/b%2Fc/").unwrap().parameters["proxy"], "a/b/c/");
        assert_eq!(router.find("GET", "/p/"), None);
    }
}
