using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Wires;

/// <summary>Whoever tries credentials is slowed down, wherever he puts them and whoever he says he is.</summary>
public sealed class GuessesTests(GuessesTests.Site shared) : IClassFixture<GuessesTests.Site>, IDisposable
{
    private const int Most = 20;

    private static int addresses = 1;

    // Nobody else calls from there: what another test has guessed does not count.
    private readonly HttpClient client =
        ClientAt(IPAddress.Parse($"127.0.1.{Interlocked.Increment(ref addresses)}"), shared.Wires.Host.Client.BaseAddress!);

    private static readonly Dictionary<string, string?> Few = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Stoa:WrongCredentialsPerMinute"] = $"{Most}",
    };

    public static TheoryData<string, string, string> Places => new()
    {
        { "/v1/models", "Authorization", "Bearer {0}" },
        { "/v1/models", "x-api-key", "{0}" },
        { "/api/stoa/keys", "Authorization", "Bearer stoa_000000000000_{0}" },
        { "/api/v2/probe", "Authorization", "{0}" },
        { "/api/v2/probe", "pauthkey", "{0}" },
        { "/api/v2/probe", "proxy_auth_token", "{0}" },
        { "/api/agent/probe", "pauthtoken", "{0}" },
        { "/chatbot/b/probe", "Authorization", "a.b.{0}" },
        { "/api/v1/probe", "X-API-Key", "{0}" },
        { "/api/v1/probe?api_key={0}", "X-Nothing", "-" },
        { "/api/v1/root", "Authorization", "Bearer {0}" },
        { "/learning/probe", "Authorization", "Bearer {0}" },
        { "/assistants/probe/user", "Authorization", "{0}" },
        { "/assistants/probe/scheduler", "authorization", "{0}" },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public async Task So_many_wrong_credentials_a_minute_and_no_more(string path, string header, string value)
    {
        var site = shared.Wires.Through(client);

        var statuses = new List<int>();
        for (var i = 0; i < Most + 5; i++)
        {
            statuses.Add((await site.GetAsync(
                path.Replace("{0}", $"guess{i}", StringComparison.Ordinal),
                (header, value.Replace("{0}", $"guess{i}", StringComparison.Ordinal)),
                ("X-Forwarded-For", $"203.0.113.{i}"), ("Forwarded", $"for=203.0.113.{i}"), ("X-Real-IP", $"203.0.113.{i}"),
                ("X-OASST-USER", $"local:user{i}"))).Status);
        }

        Assert.All(statuses[..Most], status => Assert.True(status is 401 or 403, $"{status}"));
        Assert.All(statuses[Most..], status => Assert.Equal(429, status));
    }

    [Fact]
    public async Task All_surfaces_and_connections_count_together()
    {
        (string Path, string Header, string Start)[] places =
            [("/api/v2/probe", "pauthkey", ""), ("/api/v1/root", "Authorization", "Bearer "),
                ("/assistants/probe/user", "Authorization", "")];
        var address = IPAddress.Parse($"127.0.1.{Interlocked.Increment(ref addresses)}");

        var statuses = await Task.WhenAll(Enumerable.Range(0, 90).Select(async i =>
        {
            using var another = ClientAt(address, client.BaseAddress!);
            var (path, header, start) = places[i % places.Length];
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            request.Headers.TryAddWithoutValidation(header, $"{start}guess-{i}");
            using var answer = await another.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }));

        Assert.Equal(Most, statuses.Count(status => status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden));
        Assert.Equal(90 - Most, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Then_not_even_a_right_secret_is_told_to_be_right_but_keys_that_nobody_can_guess_go_on()
    {
        var site = shared.Wires.Through(client);
        for (var i = 0; i < Most; i++)
        {
            await site.GetAsync("/api/v1/root", ("Authorization", $"Bearer guess{i}"));
        }

        var (status, body) = await site.GetAsync("/api/v1/root", ("Authorization", $"Bearer {WireSite.RootToken}"));

        Assert.Equal(429, status);
        Assert.DoesNotContain("root", body, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(429, (await site.GetAsync("/assistants/probe/scheduler", ("Authorization", WireSite.SchedulerSecret))).Status);
        Assert.Equal(200, (await site.GetAsync("/v1/models", ("Authorization", $"Bearer {DevelopmentKey.Token}"))).Status);
        Assert.Equal(200, (await site.GetAsync("/api/stoa/keys", ("Authorization", $"Bearer {DevelopmentKey.Token}"))).Status);
        Assert.Equal(403, (await site.GetAsync("/api/v1/root")).Status);
        Assert.Equal(200, (await site.SendAsync(
            HttpMethod.Get, "/background/probe", [("Authorization", WireSite.BackgroundSecret)], isInternal: true)).Status);
    }

    [Fact]
    public async Task The_same_wrong_credential_again_and_one_that_is_over_are_no_guesses()
    {
        var site = shared.Wires.Through(client);
        for (var i = 0; i < Most * 2; i++)
        {
            Assert.Equal(401, (await site.GetAsync("/api/v2/probe", ("pauthkey", "an old key"))).Status);
            Assert.Equal(401, (await site.GetAsync("/api/v2/probe", ("Authorization", WireSite.GtwyToken(lifetime: -3600 - i)))).Status);
            Assert.Equal(
                403, (await site.GetAsync("/assistants/probe/user", ("Authorization", WireSite.MojodexToken(lifetime: -3600 - i)))).Status);
        }

        Assert.Equal(200, (await site.GetAsync("/api/v2/probe", ("Authorization", WireSite.GtwyToken()))).Status);
    }

    [Fact]
    public async Task Behind_a_known_proxy_each_address_counts_for_itself()
    {
        await using var site =
            await WireSite.StartAsync(new(Few, StringComparer.OrdinalIgnoreCase) { ["Stoa:KnownProxies:0"] = "127.0.0.1" });
        for (var i = 0; i < Most + 1; i++)
        {
            // What the guesser writes in front of his own address is not believed: the proxy adds the last one.
            await site.GetAsync("/api/v1/root", ("Authorization", $"Bearer guess{i}"), ("X-Forwarded-For", $"192.0.2.{i}, 203.0.113.7"));
        }
        var right = ("Authorization", $"Bearer {WireSite.RootToken}");

        Assert.Equal(429, (await site.GetAsync("/api/v1/root", right, ("X-Forwarded-For", "203.0.113.7"))).Status);
        Assert.Equal(200, (await site.GetAsync("/api/v1/root", right, ("X-Forwarded-For", "203.0.113.8"))).Status);
    }

    [Fact]
    public void A_minute_later_the_address_may_try_again_whatever_the_wall_clock_did()
    {
        var clock = new FakeClock();
        var guesses = new Guesses(Options.Create(new StoaOptions { WrongCredentialsPerMinute = 2 }), clock);
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("2001:db8:1:2::7") } };
        var neighbour = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("2001:db8:1:2:ffff::9") } };
        var stranger = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse("2001:db8:1:3::7") } };
        var refusal = Failure.Unauthenticated("no");

        Assert.Same(refusal, guesses.Count(context, "one", refusal));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Same(refusal, guesses.Count(neighbour, "two", refusal));

        var tooMany = guesses.Count(context, "three", refusal);
        Assert.Equal((FailureKind.TooMany, TimeSpan.FromSeconds(30)), (tooMany.Kind, tooMany.RetryAfter));
        Assert.Throws<Failure>(() => guesses.Check(neighbour));
        guesses.Check(stranger);
        clock.Advance(TimeSpan.FromSeconds(30));
        guesses.Check(context);
        Assert.Same(refusal, guesses.Count(context, "three", refusal));
        Assert.Equal(FailureKind.TooMany, guesses.Count(context, "four", refusal).Kind);
    }

    public void Dispose() => client.Dispose();

    private static HttpClient ClientAt(IPAddress address, Uri host) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, ct) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Bind(new IPEndPoint(address, 0));
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    }) { BaseAddress = host, Timeout = Patience.Long };

    /// <summary>One host for the tests that guess from an address of their own.</summary>
    public sealed class Site : IAsyncLifetime
    {
        internal WireSite Wires { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Wires = await WireSite.StartAsync(Few);

        public ValueTask DisposeAsync() => Wires.DisposeAsync();
    }
}
