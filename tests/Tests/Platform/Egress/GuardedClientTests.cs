using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Tests.Platform.Egress;

public sealed class GuardedClientTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_allowed_site_is_read_whole()
    {
        await using var site = await LoopbackSite.StartAsync(context => context.Response.WriteAsync("hello " + context.Request.Path, Ct));
        using var client = Client($"127.0.0.1:{site.Port}");
        var answer = await client.SendAsync(Get(site.Url), GuardedLimits.Default, Ct);
        Assert.Equal((HttpStatusCode.OK, "hello /"), (answer.Status, Text(answer)));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task A_site_on_this_machine_is_never_reached(string host)
    {
        await using var site = await LoopbackSite.StartAsync(context => context.Response.WriteAsync("secret", Ct));
        var guard = new AddressGuard(Options.Create(new EgressOptions { Ports = $"{site.Port}" }), Dns.GetHostAddressesAsync);
        using var client = new GuardedClient(guard, TimeProvider.System);
        await AssertNotAllowed(client.SendAsync(Get(new Uri($"http://{host}:{site.Port}/")), GuardedLimits.Default, Ct));
        Assert.Equal(0, site.Hits);
    }

    [Fact]
    public async Task A_name_that_turns_inward_after_the_first_answer_is_refused_at_its_connection()
    {
        await using var site = await LoopbackSite.StartAsync(context => context.Response.WriteAsync("secret", Ct));
        var asked = 0;
        // The port of the listener counts as public, so only the address can refuse. The first answer leads to a host that refuses us.
        var guard = new AddressGuard(
            Options.Create(new EgressOptions { Ports = $"{site.Port}", Allow = "127.0.0.2" }),
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(asked++ == 0 ? "127.0.0.2" : "127.0.0.1")]));
        using var client = new GuardedClient(guard, TimeProvider.System);
        var first = await Assert.ThrowsAsync<Failure>(() => client.SendAsync(Get(Named(site)), GuardedLimits.Default, Ct));
        Assert.Equal("upstream_connection", first.Code);
        await AssertNotAllowed(client.SendAsync(Get(Named(site)), GuardedLimits.Default, Ct));
        Assert.Equal((2, 0), (asked, site.Hits));
    }

    [Fact]
    public async Task The_address_that_was_judged_is_the_one_connected_to()
    {
        await using var site = await LoopbackSite.StartAsync(context => context.Response.WriteAsync(context.Request.Host.Value!, Ct));
        var asked = 0;
        var guard = new AddressGuard(
            Options.Create(new EgressOptions { Allow = "127.0.0.1" }),
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(asked++ == 0 ? "127.0.0.1" : "10.0.0.1")]));
        using var client = new GuardedClient(guard, TimeProvider.System);
        var answer = await client.SendAsync(Get(Named(site)), GuardedLimits.Default, Ct);
        Assert.Equal(($"site.example:{site.Port}", 1), (Text(answer), asked));
    }

    [Theory]
    [InlineData("93.184.216.34,127.0.0.1")]
    [InlineData("127.0.0.1,93.184.216.34")]
    [InlineData("2606:4700:4700::1111,::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("169.254.169.254")]
    public async Task One_internal_record_spoils_the_name(string records)
    {
        await using var site = await LoopbackSite.StartAsync(context => context.Response.WriteAsync("secret", Ct));
        var guard = new AddressGuard(
            Options.Create(new EgressOptions { Ports = $"{site.Port}" }),
            (_, _) => Task.FromResult<IPAddress[]>([.. records.Split(',').Select(IPAddress.Parse)]));
        using var client = new GuardedClient(guard, TimeProvider.System);
        await AssertNotAllowed(client.SendAsync(Get(Named(site)), GuardedLimits.Default, Ct));
        Assert.Equal(0, site.Hits);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("//127.0.0.1:{0}/")]
    [InlineData("http:\\\\127.0.0.1:{0}\\")]
    [InlineData("http://name@127.0.0.1:{0}/")]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://127.0.0.1:{0}/")]
    public async Task A_redirect_inwards_is_not_followed(string location)
    {
        await using var inner = await LoopbackSite.StartAsync(context => context.Response.WriteAsync("secret", Ct));
        await using var outer = await LoopbackSite.StartAsync(context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = string.Format(CultureInfo.InvariantCulture, location, inner.Port);
            return Task.CompletedTask;
        });
        using var client = Client($"127.0.0.1:{outer.Port}");
        await AssertNotAllowed(client.SendAsync(Get(outer.Url), GuardedLimits.Default, Ct));
        Assert.Equal((1, 0), (outer.Hits, inner.Hits));
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(10, false)]
    public async Task At_most_three_redirects_are_followed(int hops, bool arrives)
    {
        await using var site = await LoopbackSite.StartAsync(context =>
        {
            var left = int.Parse(context.Request.Path.Value![1..], CultureInfo.InvariantCulture);
            if (left > 0)
            {
                context.Response.Redirect($"/{left - 1}");
            }
            return Task.CompletedTask;
        });
        using var client = Client($"127.0.0.1:{site.Port}");
        var sent = client.SendAsync(Get(new Uri(site.Url, $"/{hops}")), GuardedLimits.Default, Ct);
        if (arrives)
        {
            Assert.Equal("/0", (await sent).Address.AbsolutePath);
        }
        else
        {
            Assert.Equal("too_many_redirects", (await Assert.ThrowsAsync<Failure>(() => sent)).Code);
            Assert.Equal(4, site.Hits);
        }
    }

    [Fact]
    public async Task Credentials_stay_with_the_origin_that_they_were_meant_for()
    {
        string? seen = null;
        await using var other = await LoopbackSite.StartAsync(context =>
        {
            seen = string.Join(',', context.Request.Headers.Keys.Order(StringComparer.Ordinal));
            return Task.CompletedTask;
        });
        await using var site = await LoopbackSite.StartAsync(context =>
        {
            context.Response.Redirect(context.Request.Path == "/" ? "/again" : other.Url.AbsoluteUri);
            return context.Response.WriteAsync(context.Request.Headers["x-api-key"].ToString(), Ct);
        });
        using var client = Client("127.0.0.1");
        var request = Get(site.Url);
        request.Headers.Add("Authorization", "Bearer secret");
        request.Headers.Add("Cookie", "session=secret");
        request.Headers.Add("x-api-key", "secret");
        request.Headers.Add("User-Agent", "Stoa");
        await client.SendAsync(request, GuardedLimits.Default, Ct);
        Assert.Equal("Accept-Encoding,Host,User-Agent", seen);
    }

    [Theory]
    [InlineData("POST", 301, "GET ")]
    [InlineData("POST", 302, "GET ")]
    [InlineData("POST", 303, "GET ")]
    [InlineData("PUT", 303, "GET ")]
    [InlineData("PUT", 302, "PUT body")]
    [InlineData("POST", 307, "POST body")]
    [InlineData("POST", 308, "POST body")]
    [InlineData("GET", 307, "GET ")]
    public async Task Method_and_body_follow_the_rules_of_the_status(string method, int status, string arrived)
    {
        await using var site = await LoopbackSite.StartAsync(async context =>
        {
            if (context.Request.Path == "/")
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = "/next";
                return;
            }
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"{context.Request.Method} {await reader.ReadToEndAsync(Ct)}", Ct);
        });
        using var client = Client("127.0.0.1");
        var request = new HttpRequestMessage(new HttpMethod(method), site.Url);
        request.Content = method == "GET" ? null : new StringContent("body");
        Assert.Equal(arrived, Text(await client.SendAsync(request, GuardedLimits.Default, Ct)));
    }

    [Theory]
    [InlineData("/length")]
    [InlineData("/chunked")]
    [InlineData("/bomb")]
    public async Task More_than_the_limit_is_not_read(string path)
    {
        await using var site = await LoopbackSite.StartAsync(async context =>
        {
            if (context.Request.Path == "/length")
            {
                context.Response.ContentLength = 100_001;
            }
            if (context.Request.Path == "/bomb")
            {
                context.Response.Headers.ContentEncoding = "gzip";
                await using var zip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
                await zip.WriteAsync(new byte[100_001], Ct);
                return;
            }
            await context.Response.Body.WriteAsync(new byte[100_001], Ct);
        });
        using var client = Client("127.0.0.1");
        var failure = await Assert.ThrowsAsync<Failure>(
            () => client.SendAsync(Get(new Uri(site.Url, path)), GuardedLimits.Default with { MaxBytes = 100_000 }, Ct));
        Assert.Equal("upstream_too_large", failure.Code);
        var whole = await client.SendAsync(Get(new Uri(site.Url, path)), GuardedLimits.Default with { MaxBytes = 100_001 }, Ct);
        Assert.Equal(100_001, whole.Body.Length);
    }

    [Fact]
    public async Task The_time_limit_also_ends_an_answer_that_trickles()
    {
        await using var site = await LoopbackSite.StartAsync(async context =>
        {
            await context.Response.WriteAsync("a", Ct);
            await context.Response.Body.FlushAsync(Ct);
            await LoopbackSite.UntilGone(context);
        });
        using var client = Client("127.0.0.1");
        var failure = await Assert.ThrowsAsync<Failure>(
            () => client.SendAsync(Get(site.Url), GuardedLimits.Default with { Timeout = TimeSpan.FromMilliseconds(200) }, Ct));
        Assert.Equal(FailureKind.Timeout, failure.Kind);
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_not_told_of_a_timeout()
    {
        using var client = Client("127.0.0.1");
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.SendAsync(Get(new Uri("http://127.0.0.1:1/")), GuardedLimits.Default, gone.Token));
    }

    private static GuardedClient Client(string allow) =>
        new(new AddressGuard(Options.Create(new EgressOptions { Allow = allow }), Dns.GetHostAddressesAsync), TimeProvider.System);

    private static HttpRequestMessage Get(Uri url) => new(HttpMethod.Get, url);

    private static Uri Named(LoopbackSite site) => new($"http://site.example:{site.Port}/");

    private static string Text(GuardedResponse answer) => Encoding.UTF8.GetString(answer.Body.Span);

    private static async Task AssertNotAllowed(Task sent) =>
        Assert.Equal("url_not_allowed", (await Assert.ThrowsAsync<Failure>(() => sent)).Code);
}
