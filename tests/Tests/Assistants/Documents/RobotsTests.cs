using Stoa.Assistants.Documents.Crawling;

namespace Stoa.Tests.Assistants.Documents;

public sealed class RobotsTests
{
    [Theory]
    [InlineData("User-agent: *\nDisallow: /", "/a", false)]
    [InlineData("User-agent: *\nDisallow:", "/a", true)]
    [InlineData("User-agent: *\nDisallow: /\nUser-agent: StoaBot\nAllow: /", "/a", true)]
    [InlineData("User-agent: stoabot\nDisallow: /x\n\nUser-agent: *\nDisallow: /", "/a", true)]
    [InlineData("User-agent: other\nUser-agent: stoabot\nDisallow: /a", "/a/b", false)]
    [InlineData("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true)]
    [InlineData("User-agent: *\nAllow: /a/b\nDisallow: /a/b", "/a/b", true)]
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", false)]
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", true)]
    [InlineData("User-agent: *\nDisallow: /a*b*c", "/aXXbYYc/d", false)]
    [InlineData("User-agent: *\nDisallow: /caf%C3%A9", "/café", false)]
    [InlineData("User-agent: *\nDisallow: /café", "/caf%c3%a9/menu", false)]
    [InlineData("# nothing but words\nfoo: bar\n\u0001\u0002", "/a", true)]
    [InlineData("Disallow: /", "/a", true)]
    [InlineData("User-agent: *\nDisallow: /a # and a remark", "/a", false)]
    [InlineData("User-agent: stoabot\nDisallow: /a\nUser-agent: stoabot\nDisallow: /b", "/b", false)]
    public void The_longest_rule_of_the_group_that_names_us_counts(string rules, string path, bool isAllowed) =>
        Assert.Equal(isAllowed, RobotsRules.Parse(rules, "StoaBot").Allows(new($"https://example.org{path}")));

    [Fact]
    public void Delays_and_sitemaps_are_read_and_a_delay_has_an_end()
    {
        var rules = RobotsRules.Parse("Sitemap: https://example.org/s.xml\nUser-agent: *\nCrawl-delay: 100000", "StoaBot");

        Assert.Equal(TimeSpan.FromSeconds(30), rules.Delay);
        Assert.Equal(["https://example.org/s.xml"], rules.Sitemaps);
    }

    [Fact]
    public void Rules_made_to_be_slow_are_not()
    {
        var stars = string.Concat(Enumerable.Repeat("*a", 200));
        var rules = RobotsRules.Parse($"User-agent: *\n{string.Concat(Enumerable.Repeat($"Disallow: /{stars}b$\n", 500))}", "StoaBot");

        Assert.True(rules.Allows(new($"https://example.org/{new string('a', 2_000)}")));
    }
}
