using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback.Auth;

/// <summary>Sign-in with Discord on the original's surface, against a Discord on loopback.</summary>
public sealed class DiscordLoginTests(DiscordLoginTests.Site site) : IClassFixture<DiscordLoginTests.Site>, IDisposable
{
    private const string Secret = "a secret of the web site, long enough for everything";

    private static int accounts;

    private readonly LoopbackDiscord discord = site.Discord;
    private readonly HostUnderTest host = site.Host;
    private readonly int exchanged = site.Discord.Exchanges;
    private readonly int account = Interlocked.Increment(ref accounts);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The number of an account that no other test has.</summary>
    private string Ada => $"8035111022467{account:0000}";

    public void Dispose() => discord.Status = null;

    [Fact]
    public async Task A_linked_account_is_given_a_token_of_its_user()
    {
        var user = await LinkAsync();
        using var browser = new Browser(host.Client.BaseAddress!);
        var before = TimeProvider.System.GetUtcNow();

        var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/api/v1/login/discord")).Location!, Ada));

        Assert.Equal(HttpStatusCode.OK, back.Status);
        var answer = JsonNode.Parse(back.Html)!;
        Assert.Equal("bearer", (string?)answer["token_type"]);
        var claims = Claims((string)answer["access_token"]!, Secret);
        Assert.Equal(user.ToString(), (string?)claims["sub"]);
        Assert.InRange((long)claims["exp"]! - before.ToUnixTimeSeconds(), 1_795, 1_860);
    }

    [Fact]
    public async Task An_account_that_is_linked_to_nobody_is_refused()
    {
        using var browser = new Browser(host.Client.BaseAddress!);

        Refused(await browser.GetAsync(discord.Agree((await browser.GetAsync("/api/v1/login/discord")).Location!, Ada)));
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.Unauthorized)]
    public async Task Only_a_trusted_client_is_believed_that_a_user_is_Discords(bool isTrusted, HttpStatusCode status)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand($"""
            with client as (
              insert into feedback.api_client (id, key_hash, description, trusted, created_at)
              values (gen_random_uuid(), sha256('another {Ada}'), 'another', {isTrusted}, now()) returning id)
            insert into feedback.user (id, username, auth_method, display_name, api_client_id)
            select gen_random_uuid(), '{Ada}', 'discord', 'Ada', id from client
            """);
        await command.ExecuteNonQueryAsync(Ct);
        using var browser = new Browser(host.Client.BaseAddress!);

        var back = await browser.GetAsync(discord.Agree((await browser.GetAsync("/api/v1/login/discord")).Location!, Ada));

        Assert.Equal(status, back.Status);
    }

    [Fact]
    public async Task A_way_that_was_begun_in_another_browser_is_refused_and_no_code_is_handed_in()
    {
        await LinkAsync();
        using var one = new Browser(host.Client.BaseAddress!);
        using var other = new Browser(host.Client.BaseAddress!);
        var way = discord.Agree((await one.GetAsync("/api/v1/login/discord")).Location!, Ada);

        Refused(await other.GetAsync(way));
        await other.GetAsync("/api/v1/login/discord");
        Refused(await other.GetAsync(way));

        Assert.Equal(exchanged, discord.Exchanges);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(503)]
    public async Task What_Discord_refuses_is_refused(int status)
    {
        await LinkAsync();
        using var browser = new Browser(host.Client.BaseAddress!);
        discord.Status = status;

        Refused(await browser.GetAsync(discord.Agree((await browser.GetAsync("/api/v1/login/discord")).Location!, Ada)));
    }

    [Fact]
    public async Task It_is_off_until_it_is_switched_on()
    {
        await using var closed = await HostUnderTest.StartAsync(
            new(discord.Settings, StringComparer.OrdinalIgnoreCase) { ["NextAuth:Secrets:0"] = Secret });
        foreach (var path in (string[])["/api/v1/login/discord", "/api/v1/callback/discord?code=x&state=y"])
        {
            using var answer = await closed.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    private async Task<Guid> LinkAsync()
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand($"""
            with linked as (
              insert into feedback.user (id, username, auth_method, display_name, api_client_id)
              select gen_random_uuid(), 'ada{account}', 'local', 'Ada', id from feedback.api_client
                where trusted and description <> 'another' returning id)
            insert into feedback.account (id, user_id, provider, provider_account_id)
            select gen_random_uuid(), id, 'discord', '{Ada}' from linked returning user_id
            """);
        return (Guid)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>By hand, so that signer and reader cannot be wrong in the same way.</summary>
    private static JsonNode Claims(string token, string secret)
    {
        Assert.True(token.Split('.') is [_, _, _], token);
        var (signed, signature) = (token[..token.LastIndexOf('.')], token[(token.LastIndexOf('.') + 1)..]);
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        Assert.Equal(Base64Url.EncodeToString(expected), signature);
        Assert.Equal("HS256", (string?)Part(signed.Split('.')[0])["alg"]);
        return Part(signed.Split('.')[1]);

        static JsonNode Part(string text) => JsonNode.Parse(Base64Url.DecodeFromChars(text))!;
    }

    private static void Refused(Browser.Page page)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, page.Status);
        Assert.Equal(600, (int?)JsonNode.Parse(page.Html)!["error_code"]);
    }

    public sealed class Site : IAsyncLifetime
    {
        internal LoopbackDiscord Discord { get; private set; } = null!;

        public HostUnderTest Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Discord = await LoopbackDiscord.StartAsync();
            Host = await HostUnderTest.StartAsync(new(Discord.Settings, StringComparer.OrdinalIgnoreCase)
            {
                ["NextAuth:Secrets:0"] = Secret, ["Feedback:Auth:DiscordSignIn"] = "true",
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Discord.DisposeAsync();
        }
    }
}
