"""The worlds. Each function builds one in an empty account and returns its services' reports."""

import playbook
from images import Repository
from network import Network
from service import Member, Service, pair, report, sole
from traffic import Balancer, header, host, not_found, path, rule, to_https

PREVIEW = ("X-Preview", "yes")


def two_groups():
    """Two groups behind a weighted rule, and a rule that reaches the idle one."""
    network = Network("shop")
    shop = Service("shop", network, pair("shop"), template="shop-web", repository="acme/shop")
    balancer = Balancer.create("shop-public", network)
    http = balancer.listener(80, not_found())
    rule(http, 5, header(*PREVIEW), shop.idle())
    rule(http, 100, path("/*"), shop.weighted())
    balancer.wait()
    shop.launch()
    return [shop.report(balancer, test=PREVIEW)]


def names():
    """Names at the limits of what each API accepts.

    AutoScalingGroupName is XmlStringMaxLen255 (API model): any character except control characters,
    although its description allows only ASCII 33 to 126 without the colon. LaunchTemplateName is
    `[a-zA-Z0-9().\\-/_]+`. Names of load balancers and target groups: letters, digits, hyphens.
    """
    network = Network("shop", title="상점")
    members = [
        Member("상점 (파랑) / A", "shop-blue"),
        Member("상점 (초록) / B", "shop-green"),
    ]
    shop = Service("shop", network, members, template="shop/(web)_v1.x", repository="team/shop.web")
    balancer = Balancer.create("Shop-LB", network)
    balancer.listener(80, shop.weighted())
    balancer.wait()
    shop.launch()
    return [shop.report(balancer)]


def mixed():
    """Groups of two instance types with weights, from version 1 of their template."""
    network = Network("shop")
    shop = Service("shop", network, pair("shop"))
    balancer = Balancer.create("shop", network)
    balancer.listener(80, shop.weighted())
    balancer.wait()
    shop.launch(mixed=True)
    return [shop.report(balancer)]


def listeners():
    """Port 80 redirects to 443; 443 and 8080 forward by their rules and by default."""
    network = Network("shop")
    shop = Service("shop", network, pair("shop"))
    balancer = Balancer.create("shop", network)
    balancer.listener(80, to_https())
    https = balancer.listener(443, shop.live(), protocol="HTTPS")
    rule(https, 1, header(*PREVIEW), shop.idle())
    rule(https, 10, path("/api/*", "/v1/*"), shop.weighted())
    rule(https, 20, host("shop.example.com", "*.shop.example.com"), shop.weighted())
    rule(https, 30, path("/old/*"), to_https())
    internal = balancer.listener(8080, shop.live())
    rule(internal, 10, path("/metrics"), not_found())
    rule(internal, 20, path("/internal/*"), shop.live())
    balancer.wait()
    shop.launch()
    return [shop.report(balancer, host=f"{balancer.dns_name}:443", test=PREVIEW)]


def two_services():
    """Two services that share only the VPC."""
    network = Network("acme")
    reports = []
    for name in ("cart", "search"):
        service = Service(name, network, pair(name))
        balancer = Balancer.create(name, network)
        http = balancer.listener(80, service.live())
        rule(http, 1, header(*PREVIEW), service.idle())
        balancer.wait()
        service.launch()
        reports.append(service.report(balancer, test=PREVIEW))
    return reports


def shared():
    """A load balancer of three services: one with two groups by host, one with one group by path, and
    one by default."""
    network = Network("acme")
    balancer = Balancer.create("acme", network)
    shop = Service("shop", network, pair("shop"))
    news = Service("news", network, sole("news"))
    docs = Service("docs", network, sole("docs"))
    http = balancer.listener(80, docs.live())
    rule(http, 10, host("shop.example.com"), shop.weighted())
    rule(http, 20, path("/news", "/news/*"), news.live())
    balancer.wait()
    for service in (shop, news, docs):
        service.launch()
    return [
        shop.report(balancer, host="shop.example.com"),
        news.report(balancer, path="/news"),
        docs.report(balancer),
    ]


def one_group():
    """A single group."""
    network = Network("shop")
    shop = Service("shop", network, sole("shop"))
    balancer = Balancer.create("shop", network)
    balancer.listener(80, shop.live())
    balancer.wait()
    shop.launch()
    return [shop.report(balancer)]


def latest():
    """Two groups at `$Latest` of a template whose user data runs `:latest`."""
    network = Network("shop")
    shop = Service("shop", network, pair("shop"), tag="latest")
    balancer = Balancer.create("shop", network)
    balancer.listener(80, shop.weighted())
    balancer.wait()
    shop.launch(version="$Latest")
    return [shop.report(balancer)]


def latest_one_group():
    """The same with one group."""
    network = Network("shop")
    shop = Service("shop", network, sole("shop"), tag="latest")
    balancer = Balancer.create("shop", network)
    balancer.listener(80, shop.live())
    balancer.wait()
    shop.launch(version="$Latest")
    return [shop.report(balancer)]


def sticky():
    """Two groups behind a sticky rule, and a rule that reaches the idle one."""
    network = Network("shop")
    shop = Service("shop", network, pair("shop"))
    balancer = Balancer.create("shop", network)
    http = balancer.listener(80, not_found())
    rule(http, 1, header(*PREVIEW), shop.idle())
    rule(http, 2, path("/*"), shop.weighted(sticky_seconds=60))
    balancer.wait()
    shop.launch()
    return [shop.report(balancer, test=PREVIEW)]


def ansible():
    """What the playbook builds: two groups behind a weighted rule, and a rule that reaches the idle
    one. It can be built again; `changed` says how many tasks changed anything."""
    changed = playbook.run()
    repository = Repository("forum/web")
    members = [Member(f"forum-{color}", f"forum-{color}") for color in ("blue", "green")]
    forum = report(
        "forum",
        members,
        "forum",
        repository.uri,
        repository.tagged(),
        Balancer.named("forum"),
        test=PREVIEW,
    )
    return [{**forum, "changed": changed}]


def empty():
    """The default VPC, which every new account has, and one more."""
    Network("shop")
    return []


WORLDS = {
    "pair": two_groups,
    "names": names,
    "mixed": mixed,
    "listeners": listeners,
    "two-services": two_services,
    "shared": shared,
    "one-group": one_group,
    "latest": latest,
    "latest-one-group": latest_one_group,
    "sticky": sticky,
    "ansible": ansible,
    "empty": empty,
}
