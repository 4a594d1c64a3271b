using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class FirstRunTests
{
    private static readonly Regex Token = new("stoa_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}", RegexOptions.NonBacktracking);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_token_of_the_log_makes_the_first_admin_the_organization_and_a_key()
    {
        await using var site = await IdentitySite.StartAsync();
        using var browser = site.Browser();
        var setupToken = await site.SetupTokenAsync();

        var form = await browser.GetAsync($"/setup?token={setupToken}");
        var done = await IdentitySite.SetUpAsync(browser, setupToken);

        Assert.Contains(setupToken, form.Html, StringComparison.Ordinal);
        var key = Token.Match(done.Html).Value;
        var me = await IdentitySite.GetAsync(browser, "/api/stoa/me");
        Assert.Equal(("Zeno", "Agora", "owner", true), (
            (string)me["person"]!["name"]!, (string)me["organization"]!["name"]!,
            (string)me["organization"]!["role"]!, (bool)me["is_operator"]!));
        var ring = site.Services.GetRequiredService<KeyRing>();
        await IdentitySite.Until(() => Task.FromResult(ring.Find(key) is { IsAdmin: true }));
    }

    [Fact]
    public async Task It_can_be_done_once()
    {
        await using var site = await IdentitySite.StartAsync();
        var (first, second) = (await site.SetupTokenAsync(), await site.SetupTokenAsync());
        using var owner = site.Browser();
        using var late = site.Browser();

        Assert.Equal(HttpStatusCode.OK, (await IdentitySite.SetUpAsync(owner, first)).Status);

        Assert.Equal(HttpStatusCode.Conflict, (await IdentitySite.SetUpAsync(late, first, "late@example.org")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await IdentitySite.SetUpAsync(late, second, "late@example.org")).Status);
        Assert.Equal("/signin", (await late.GetAsync("/setup")).Location);
        Assert.Null(await site.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct));
    }

    [Fact]
    public async Task Of_many_who_try_at_the_same_time_one_becomes_the_admin()
    {
        await using var site = await IdentitySite.StartAsync();
        var token = await site.SetupTokenAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            using var browser = site.Browser();
            return (await IdentitySite.SetUpAsync(browser, token, $"p{i}@example.org")).Status;
        }));

        Assert.Single(answers, HttpStatusCode.OK);
        Assert.Equal(11, answers.Count(status => status == HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task What_breaks_off_half_way_leaves_nothing_and_can_be_done_again()
    {
        await using var site = await IdentitySite.StartAsync();
        using var browser = site.Browser();
        var token = await site.SetupTokenAsync();
        var source = site.Services.GetRequiredService<NpgsqlDataSource>();
        // The last thing that is made is the key.
        await ExecuteAsync(source, """
            create function platform.fail() returns trigger language plpgsql as $$ begin raise exception 'the host dies here'; end $$;
            create trigger fails before insert on platform.api_keys for each row execute function platform.fail();
            """);

        var broken = await IdentitySite.SetUpAsync(browser, token);

        Assert.Equal(HttpStatusCode.InternalServerError, broken.Status);
        Assert.Null(broken.Header("Set-Cookie"));
        Assert.Equal(0L, await ScalarAsync(source,
            "select (select count(*) from platform.people) + (select count(*) from platform.audit where act <> 'api_client.create')"));
        await ExecuteAsync(source, "drop trigger fails on platform.api_keys");
        Assert.Equal(HttpStatusCode.OK, (await IdentitySite.SetUpAsync(browser, token)).Status);
        Assert.Equal(1L, await ScalarAsync(source, "select count(*) from platform.api_keys"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("'; drop table platform.people; --")]
    public async Task Without_the_token_nobody_becomes_anything(string token)
    {
        await using var site = await IdentitySite.StartAsync();
        using var browser = site.Browser();

        var answer = await IdentitySite.SetUpAsync(browser, token);

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Contains("not the token of the log", answer.Text, StringComparison.Ordinal);
        Assert.NotNull(await site.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct));
    }

    [Fact]
    public async Task The_development_sign_in_exists_in_Development_only()
    {
        await using var site = await IdentitySite.StartAsync();
        using var developer = site.Browser();
        Assert.Equal(HttpStatusCode.Found, (await developer.SendAsync("/signin/development", ("return", "/"))).Status);
        Assert.Equal("owner", (string)(await IdentitySite.GetAsync(developer, "/api/stoa/me"))["organization"]!["role"]!);

        await using var production = await HostUnderTest.StartAsync(environment: "Production");
        using var browser = new Browser(production.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.SendAsync("/signin/development", ("return", "/"))).Status);
        Assert.DoesNotContain("developer", (await browser.GetAsync("/signin")).Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Over_plain_http_from_elsewhere_the_page_says_that_nobody_stays_signed_in()
    {
        const string words = "This page came over plain http";
        await using var strict = await HostUnderTest.StartAsync(environment: "Production");
        await using var lenient = await HostUnderTest.StartAsync(new() { ["Sessions:RequireTls"] = "false" }, environment: "Production");

        Assert.Contains(words, await SignInPageAsync(strict, "stoa.lan:8080"), StringComparison.Ordinal);
        Assert.DoesNotContain(words, await SignInPageAsync(strict, "localhost:8080"), StringComparison.Ordinal);
        Assert.DoesNotContain(words, await SignInPageAsync(lenient, "stoa.lan:8080"), StringComparison.Ordinal);
        var token = (await lenient.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct))!;
        using var browser = new Browser(lenient.Client.BaseAddress!);
        var done = await IdentitySite.SetUpAsync(browser, token);
        Assert.Contains("; path=/; samesite=lax; httponly", done.Header("Set-Cookie"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_Development_the_cookie_is_for_TLS_only()
    {
        await using var production = await HostUnderTest.StartAsync(environment: "Production");
        var token = (await production.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct))!;
        using var browser = new Browser(production.Client.BaseAddress!);

        var done = await IdentitySite.SetUpAsync(browser, token);

        Assert.Contains("; secure; samesite=lax; httponly", done.Header("Set-Cookie"), StringComparison.Ordinal);
    }

    private static async Task<string> SignInPageAsync(HostUnderTest host, string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/signin", UriKind.Relative)) { Headers = { Host = name } };
        using var answer = await host.Client.SendAsync(request, Ct);
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<long> ScalarAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
