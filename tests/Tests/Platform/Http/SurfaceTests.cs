using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Http;

public sealed class SurfaceTests(SurfaceTests.Surfaces surfaces) : IClassFixture<SurfaceTests.Surfaces>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_surface_answers_any_origin_without_credentials_also_when_it_fails()
    {
        var answer = await SendAsync(HttpMethod.Post, "/token", ("Origin", "https://anywhere.example"));

        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
        Assert.Null(Header(answer, "Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_preflight_of_a_token_surface_allows_its_headers()
    {
        var answer = await SendAsync(HttpMethod.Options, "/token", ("Origin", "https://anywhere.example"),
            ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,x-api-key"));

        Assert.Equal("authorization,x-api-key", Header(answer, "Access-Control-Allow-Headers"));
        Assert.Equal("86400", Header(answer, "Access-Control-Max-Age"));
    }

    [Theory]
    [InlineData("https://school.example", "https://school.example", "true")]
    [InlineData("https://evil.example", null, null)]
    public async Task A_cookie_surface_answers_listed_origins_only(string origin, string? allowed, string? credentials)
    {
        var answer = await SendAsync(HttpMethod.Get, "/cookie", ("Origin", origin));

        Assert.Equal(allowed, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal(credentials, Header(answer, "Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_page_has_a_content_policy_without_exceptions()
    {
        var answer = await SendAsync(HttpMethod.Get, "/page");

        Assert.DoesNotContain("unsafe", Header(answer, "Content-Security-Policy")!, StringComparison.Ordinal);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("same-origin", Header(answer, "Referrer-Policy"));
    }

    [Fact]
    public async Task Forwarding_headers_count_when_they_come_from_a_known_proxy()
    {
        var answer = await SendAsync(HttpMethod.Get, "/caller", ("X-Forwarded-For", "203.0.113.7"));

        Assert.Equal("203.0.113.7", await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task Forwarding_headers_from_anyone_else_are_ignored()
    {
        await using var direct = await HostUnderTest.StartAsync(
            map: app => app.MapGet("/caller", (HttpContext context) => $"{context.Connection.RemoteIpAddress}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/caller") { Headers = { { "X-Forwarded-For", "203.0.113.7" } } };

        var answer = await direct.Client.SendAsync(request, Ct);

        Assert.Equal("127.0.0.1", await answer.Content.ReadAsStringAsync(Ct));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }
        return await surfaces.Host.Client.SendAsync(request, Ct);
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    /// <summary>A host with one route of each kind; no test leaves anything in it.</summary>
    public sealed class Surfaces : IAsyncLifetime
    {
        internal HostUnderTest Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await HostUnderTest.StartAsync(
            new()
            {
                ["Stoa:CorsOrigins:0"] = "https://school.example",
                ["Stoa:KnownProxies:0"] = "127.0.0.0/8",
            },
            map: app =>
            {
                app.MapPost("/token", Task () => throw Failure.Unauthenticated("No key")).AllowAnyOrigin();
                app.MapGet("/cookie", () => "ok").AllowListedOrigins();
                app.MapGet("/page", () => "ok").WithPageHeaders();
                app.MapGet("/caller", (HttpContext context) => $"{context.Connection.RemoteIpAddress}");
            });

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
