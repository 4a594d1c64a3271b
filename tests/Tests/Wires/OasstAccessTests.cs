using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Auth;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Wires;

public sealed class OasstAccessTests(WireHost host) : IClassFixture<WireHost>
{
    private const string Probe = "/api/v1/probe";
    private const string Refused = """{"error_code":2,"message":"The API client is not authorized"}""";

    private readonly WireSite site = host.Site;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ApiClients Clients => site.Host.Services.GetRequiredService<ApiClients>();

    [Fact]
    public async Task The_key_of_the_settings_is_the_trusted_web_site()
    {
        Assert.Equal((200, "True "), await site.GetAsync(Probe, ("X-API-Key", WireSite.WebKey)));
        Assert.Equal((200, "official web client"), await site.GetAsync($"{Probe}/trusted", ("x-api-key", WireSite.WebKey)));
    }

    [Fact]
    public async Task A_client_that_is_not_trusted_is_refused_where_trust_is_needed()
    {
        var key = await Clients.CreateAsync(new("a bot", "bot"), Ct);

        Assert.Matches("^[0-9a-f]{64}$", key);
        Assert.Equal((200, "False "), await site.GetAsync(Probe, ("X-API-Key", key)));
        Assert.Equal((403, Refused), await site.GetAsync($"{Probe}/trusted", ("X-API-Key", key)));
    }

    [Fact]
    public async Task Making_a_client_is_written_down_without_its_key()
    {
        var key = await Clients.CreateAsync(new("a bot", "bot", AdminEmail: "bot@example.org"), Ct);

        var (status, audit) = await site.GetAsync("/api/stoa/audit", ("Authorization", $"Bearer {DevelopmentKey.Token}"));

        Assert.Equal(200, status);
        var acts = JsonNode.Parse(audit)!["items"]!.AsArray().Where(entry => (string)entry!["act"]! == "api_client.create").ToList();
        Assert.Equal("root", (string)acts[0]!["actor"]!);
        Assert.Equal("settings", (string)acts[^1]!["actor"]!);
        Assert.DoesNotContain(key, audit, StringComparison.Ordinal);
        Assert.DoesNotContain("@", audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_query_wins_over_the_header()
    {
        var key = Uri.EscapeDataString(WireSite.WebKey);
        Assert.Equal(200, (await site.GetAsync($"{Probe}?api_key={key}", ("X-API-Key", "wrong"))).Status);
        Assert.Equal((403, Refused), await site.GetAsync($"{Probe}?api_key=wrong", ("X-API-Key", WireSite.WebKey)));
        Assert.Equal((403, Refused), await site.GetAsync($"{Probe}?api_key=wrong&api_key={key}"));
    }

    [Fact]
    public async Task No_key_a_wrong_one_and_a_disabled_one_are_refused_in_the_same_words()
    {
        var disabled = await Clients.CreateAsync(new("gone", "bot"), Ct);
        await using (var command = site.Host.Services.GetRequiredService<Npgsql.NpgsqlDataSource>()
            .CreateCommand("update feedback.api_client set enabled = false where description = 'gone'"))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }
        // By notification: no host asks the table for each call.
        while ((await site.GetAsync(Probe, ("X-API-Key", disabled))).Status != 403)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("X-API-Key", disabled)));
        Assert.Equal((403, Refused), await site.GetAsync(Probe));
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("X-API-Key", "")));
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("X-API-Key", new string('a', 64))));
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("X-API-Key", new string('a', 4000))));
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("X-API-Key", "1234")));
        Assert.Equal((403, Refused), await site.GetAsync(Probe, ("Authorization", $"Bearer {WireSite.RootToken}")));
    }

    [Theory]
    [InlineData("local:ada", "ActingUser { AuthMethod = local, Username = ada }")]
    [InlineData("discord:a:b", "ActingUser { AuthMethod = discord, Username = a:b }")]
    [InlineData("ada", "")]
    public async Task The_acting_user_is_split_at_the_first_colon(string sent, string read)
    {
        Assert.Equal((200, $"True {read}"), await site.GetAsync(Probe, ("X-API-Key", WireSite.WebKey), ("X-OASST-USER", sent)));
        Assert.Equal(
            (200, $"True {read}"),
            await site.GetAsync(
                $"{Probe}?oasst_user={Uri.EscapeDataString(sent)}", ("X-API-Key", WireSite.WebKey), ("X-OASST-USER", "local:other")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer bad")]
    [InlineData("Bearer")]
    [InlineData("Bearer 1234")]
    [InlineData(WireSite.RootToken)]
    [InlineData("Basic " + WireSite.RootToken)]
    public async Task Only_a_root_token_opens_what_is_the_roots(string? sent)
    {
        Assert.Equal((200, "root"), await site.GetAsync("/api/v1/root", ("Authorization", $"Bearer {WireSite.RootToken}")));
        Assert.Equal(
            (403, """{"error_code":3,"message":"The root token is not authorized"}"""),
            await site.GetAsync("/api/v1/root", sent is null ? [] : [("Authorization", sent)]));
    }

    [Fact]
    public async Task A_root_token_makes_clients_and_can_say_nothing_more_of_them_than_is_asked()
    {
        var (status, body) = await CreateAsync("""
            {"description":"d","frontend_type":"bot","admin_email":"a@b.c","enabled":false,"Enabled":false,"id":"00000000-0000-0000-0000-000000000001",
             "api_key":"mine","key_hash":"AA==","created_at":"2001-01-01T00:00:00Z","unknown":[1]}
            """);

        var key = JsonSerializer.Deserialize<string>(body)!;
        Assert.Equal((200, 64), (status, key.Length));
        Assert.Equal((200, "False "), await site.GetAsync(Probe, ("X-API-Key", key)));
        Assert.Equal(403, (await site.GetAsync(Probe, ("X-API-Key", "mine"))).Status);
        await using var command = site.Host.Services.GetRequiredService<Npgsql.NpgsqlDataSource>().CreateCommand(
            "select id = '00000000-0000-0000-0000-000000000001' or created_at < '2002-01-01' or trusted or not enabled from feedback.api_client where description = 'd'");
        Assert.Equal(false, await command.ExecuteScalarAsync(Ct));
        Assert.Equal((200, "True "), await site.GetAsync(
            Probe, ("X-API-Key", JsonSerializer.Deserialize<string>(
                (await CreateAsync("""{"description":"t","frontend_type":"web","trusted":true}""")).Body)!)));
    }

    [Theory]
    [InlineData("{}",
        """{"detail":[{"loc":["body","description"],"msg":"field required","type":"value_error.missing"},{"loc":["body","frontend_type"],"msg":"field required","type":"value_error.missing"}]}""")]
    [InlineData("[]", null)]
    [InlineData("nonsense", null)]
    [InlineData("""{"description":[7],"frontend_type":"bot"}""", null)]
    [InlineData("""{"description":"\u0000","frontend_type":"bot"}""", null)]
    [InlineData("""{"description":"d","frontend_type":"bot","trusted":"perhaps"}""", null)]
    public async Task A_wrong_client_is_422_and_is_not_made(string body, string? expected)
    {
        var answer = await CreateAsync(body);

        Assert.Equal(422, answer.Status);
        Assert.StartsWith(expected ?? "{\"detail\":[{\"loc\":[\"body\"", answer.Body, StringComparison.Ordinal);
    }

    private async Task<(int Status, string Body)> CreateAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/admin/api_client")
        {
            Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
            Headers = { { "Authorization", $"Bearer {WireSite.RootToken}" } },
        };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task The_web_sites_session_names_its_address()
    {
        Assert.Equal((200, "\"Ada@example.org\""), await CheckAsync(WireSite.NextAuthCookie()));
        Assert.Equal((200, "\"Ada@example.org\""), await CheckAsync(WireSite.NextAuthCookie(WireSite.OlderNextAuthSecret)));
        Assert.Equal((200, "\"Ada@example.org\""), await CheckAsync(WireSite.NextAuthCookie(name: "__Secure-next-auth.session-token")));
        Assert.Equal((403, """{"detail":"Not authenticated"}"""), await CheckAsync("other=1"));
        var refused = (401, """{"detail":"The session is not valid"}""");
        Assert.Equal(refused, await CheckAsync(WireSite.NextAuthCookie("a secret of somebody else")));
        Assert.Equal(refused, await CheckAsync(WireSite.NextAuthCookie(lifetime: -60)));
        Assert.Equal(refused, await CheckAsync("next-auth.session-token=garbage"));
    }

    private Task<(int, string)> CheckAsync(string cookie) => site.GetAsync("/api/v1/auth/check", ("Cookie", cookie));

    [Fact]
    public async Task Development_takes_what_Open_Assistant_ships_with()
    {
        await using var shipped = await WireSite.StartAsync(new()
        {
            ["Feedback:Auth:OfficialWebApiKey"] = null,
            ["Feedback:Auth:RootTokens:0"] = null,
            ["Feedback:Auth:RootTokens:1"] = null,
        });

        Assert.Equal(200, (await shipped.GetAsync(Probe, ("X-API-Key", "1234"))).Status);
        Assert.Equal(200, (await shipped.GetAsync("/api/v1/root", ("Authorization", "Bearer 1234"))).Status);
    }

    [Fact]
    public async Task Production_without_settings_has_neither()
    {
        await using var bare = await WireSite.StartAsync(
            new()
            {
                ["Feedback:Auth:OfficialWebApiKey"] = null,
                ["Feedback:Auth:RootTokens:0"] = null,
                ["Feedback:Auth:RootTokens:1"] = null,
            },
            "Production");

        Assert.Equal(403, (await bare.GetAsync(Probe, ("X-API-Key", "1234"))).Status);
        Assert.Equal(403, (await bare.GetAsync("/api/v1/root", ("Authorization", "Bearer 1234"))).Status);
        Assert.Equal(403, (await bare.GetAsync("/api/v1/root", ("Authorization", "Bearer "))).Status);
    }
}
