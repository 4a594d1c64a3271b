using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Stoa.Platform.Identity;
using Stoa.Platform.Pages;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Pages;

public sealed class ShellTests(ShellTests.SharedSite shared) : IClassFixture<ShellTests.SharedSite>
{
    private static readonly Regex Address = new("(?:href|src)=\"(?<path>/assets/[^\"]+)\"", RegexOptions.NonBacktracking);
    private static readonly Regex Inline = new(
        "<script|<style|\\sstyle=|\\son[a-z]+=|javascript:", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase);

    [Fact]
    public async Task Every_page_works_under_a_content_policy_without_exceptions()
    {
        var site = shared.Site;
        using var browser = site.Browser();
        List<Browser.Page> pages =
            [await browser.GetAsync("/"), await browser.GetAsync("/signin"), await browser.GetAsync("/console/nothing")];
        await browser.SignInAsync(DevelopmentKey.Token);
        pages.AddRange([await browser.GetAsync("/"), await browser.GetAsync("/console/nothing")]);

        Assert.All(pages, page =>
        {
            var policy = page.Header("Content-Security-Policy")!;
            Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotMatch(Inline, page.Html);
            Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("/", "HTTP/1.0", "", "400")]
    [InlineData("/signin", "HTTP/1.1", "Host: xn--\r\n", "400")]
    [InlineData("/signin", "HTTP/1.1", "Host: example.org:99999\r\n", "400")]
    [InlineData("/nothing", "HTTP/1.0", "", "404")]
    public async Task Without_a_host_that_exists_there_is_no_page_and_no_error_of_ours(
        string path, string version, string host, string status)
    {
        var site = shared.Site;
        using var client = new TcpClient();
        await client.ConnectAsync(site.Address.Host, site.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();

        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} {version}\r\n{host}Accept: text/html\r\nConnection: close\r\n\r\n"),
            TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Style_and_icon_are_ours_and_kept_by_the_browser()
    {
        var site = shared.Site;
        using var browser = site.Browser();
        using var client = new HttpClient { BaseAddress = site.Address };
        var addresses = Address.Matches((await browser.GetAsync("/")).Html).Select(match => match.Groups["path"].Value).ToHashSet();

        Assert.Equal(2, addresses.Count);
        foreach (var address in addresses)
        {
            var file = await browser.GetAsync(address);
            using var again = new HttpRequestMessage(HttpMethod.Get, address);
            again.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(file.Header("ETag")!));
            using var unchanged = await client.SendAsync(again, TestContext.Current.CancellationToken);

            Assert.Equal((HttpStatusCode.OK, "public, max-age=31536000, immutable"), (file.Status, file.Header("Cache-Control")));
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/assets/stoa.000000000000.css")).Status);
    }

    [Theory]
    [InlineData("/console/nothing", "*/*", "text/html; charset=utf-8")]
    [InlineData("/nothing", "text/html", "text/html; charset=utf-8")]
    [InlineData("/nothing", "*/*", "application/problem+json")]
    [InlineData("/api/stoa/nothing", "text/html", "application/problem+json")]
    [InlineData("/v1/nothing", "text/html", "application/json")]
    public async Task What_does_not_exist_is_told_in_the_words_of_its_place(string path, string accept, string contentType)
    {
        var site = shared.Site;
        using var client = new HttpClient { BaseAddress = site.Address };
        client.DefaultRequestHeaders.Accept.ParseAdd(accept);

        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.NotFound, contentType), (answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
    }

    [Fact]
    public async Task A_page_that_fails_says_so_in_the_shell_and_nothing_of_the_cause()
    {
        await using var site = await PagesSite.StartAsync(shared.Database, map: app =>
            app.MapGet("/console/broken", string () => throw new InvalidOperationException("the secret cause")).AsPage());
        using var browser = await site.BrowserAsync(DevelopmentKey.Token);

        var page = await browser.GetAsync("/console/broken");

        Assert.Equal((HttpStatusCode.InternalServerError, "text/html; charset=utf-8"), (page.Status, page.Header("Content-Type")));
        Assert.Contains("Something went wrong on our side", page.Text, StringComparison.Ordinal);
        Assert.Contains(page.Header("x-request-id")!, page.Text, StringComparison.Ordinal);
        Assert.Contains("Sign out", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("the secret cause", page.Html, StringComparison.Ordinal);
    }

    /// <summary>A host whose pages these tests only read.</summary>
    public sealed class SharedSite(TestCluster cluster) : IAsyncLifetime
    {
        internal string Database { get; private set; } = "";

        internal PagesSite Site { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Database = await cluster.CreateDatabaseAsync();
            Site = await PagesSite.StartAsync(Database);
        }

        public async ValueTask DisposeAsync()
        {
            await Site.DisposeAsync();
            await cluster.DropDatabaseAsync(Database);
        }
    }
}
