using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Gateway;

/// <summary>Bodies and queries that nobody sends in earnest: refused, and nothing else.</summary>
public sealed class HostileBodyTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    private static readonly string Long = string.Concat(Enumerable.Range(0, 500).Select(number => (char)(0x4E00 + (number * 37 % 20_000))));

    [Theory]
    [InlineData("POST", "/api/alerting",
        """{"name":"n","webhookConfiguration":{"url":"https://example.org","n":1e300000},"alertType":["Error"]}""")]
    [InlineData("PUT", "/api/stoa/budgets/organization", """{"amount":0.00000000001}""")]
    [InlineData("GET", "/api/stoa/usage?from=9999-12-31T23:45:00Z", null)]
    [InlineData("GET", "/api/stoa/usage?from=0001-01-01T00:00:00Z&to=9999-12-31T23:45:00Z", null)]
    [InlineData("POST", "/api/metrics", """{"range":10,"factor":"model","start_date":"2026-01-01","end_date":"9999-12-31"}""")]
    [InlineData("POST", "/api/metrics/agent", """{"start_date":"2026-01-01","end_date":"9999-12-31"}""")]
    public async Task What_no_table_holds_is_refused(string method, string path, string? body)
    {
        var (status, _) = await host.SendAsync(
            method, path, body,
            path.StartsWith("/api/stoa", StringComparison.Ordinal) ? ("Authorization", "Bearer stoa-dev") : ("pauthkey", "stoa-dev"));

        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task A_repeated_member_breaks_nothing()
    {
        var (pushed, _) = await host.SendAsync("POST", "/rtlayer/message", """{"channel":"c","message":"a","message":"b"}""");
        var (alert, _) = await host.SendAsync(
            "POST", "/api/alerting",
            """{"name":"twice","webhookConfiguration":{"url":"https://example.org/a","url":"https://example.org/b"},"alertType":["Error"]}""");

        Assert.True((int)pushed < 500, $"{pushed}");
        Assert.True((int)alert < 500, $"{alert}");
    }

    [Fact]
    public async Task A_conversation_with_names_that_are_too_long_is_refused_wherever_it_is_made()
    {
        var agent = await host.AddAgentAsync();

        var (named, _) = await host.SendAsync("POST", "/api/thread", new { thread_id = Long, subThreadId = Long });
        var (added, _) = await host.SendAsync(
            "POST", $"/api/v1/config/threads/{Uri.EscapeDataString(Long)}/{Uri.EscapeDataString(Long[..200])}/{agent}",
            new { message = "x" });

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (named, added));
    }

    [Fact]
    public async Task Who_may_only_look_does_not_see_the_credentials_of_receivers()
    {
        await host.SendAsync("POST", "/api/alerting", """
            {"name":"secret","webhookConfiguration":{"url":"https://example.org","headers":{"x-token":"canary-1"}},"alertType":["Error"]}
            """);
        var viewer = await host.Host.Services.GetRequiredService<KeyStore>().CreateAsync(
            Organization.DefaultId, new("viewer"), "test", TestContext.Current.CancellationToken);

        var (_, seen) = await host.SendAsync("GET", "/api/alerting", null, ("pauthkey", viewer.Token));
        var (_, own) = await host.SendAsync("GET", "/api/alerting");

        Assert.Contains("x-token", seen!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary-1", seen.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("canary-1", own!.ToJsonString(), StringComparison.Ordinal);
    }
}
