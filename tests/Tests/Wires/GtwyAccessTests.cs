using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Auth;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Wires;

public sealed class GtwyAccessTests(WireHost host) : IClassFixture<WireHost>
{
    private const string Runtime = "/api/v2/probe";
    private const string Management = "/api/agent/probe";

    private static readonly string Organization = $"{Stoa.Platform.Identity.Organization.DefaultId}";

    private readonly WireSite site = host.Site;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ids_are_compared_as_texts() =>
        Assert.Equal((200, "34 12 Viewer False "), await site.GetAsync(Runtime, ("Authorization", WireSite.GtwyToken())));

    [Fact]
    public async Task Each_organization_of_another_system_is_made_once()
    {
        var organizations = site.Host.Services.GetRequiredService<OrganizationNames>();

        var many = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => organizations.FindAsync("acme", "Acme", Ct).AsTask()));
        var other = await organizations.FindAsync("other", name: null, Ct);
        var own = await organizations.FindAsync(Organization, name: null, Ct);

        Assert.NotNull(many[0]);
        Assert.All(many, id => Assert.Equal(many[0], id));
        Assert.NotEqual(many[0], other);
        Assert.Equal(Stoa.Platform.Identity.Organization.DefaultId, own);
    }

    [Theory]
    [InlineData("""[]""", "Viewer")]
    [InlineData("""["get_agent"]""", "Viewer")]
    [InlineData("""["create_agent","clone_agent"]""", "Viewer")]
    [InlineData("""["create_agent","get_agent"]""", "Editor")]
    [InlineData("""["clone_agent","create_agent","get_agent"]""", "Admin")]
    [InlineData("""[1,null,"GET_AGENT"]""", "Viewer")]
    [InlineData("\"get_agent,create_agent,clone_agent\"", "Viewer")]
    public async Task Permissions_make_a_role(string permissions, string role)
    {
        var token = WireSite.Sign(
            new()
            {
                ["user"] = new JsonObject { ["id"] = "12", ["permissions"] = JsonNode.Parse(permissions) },
                ["org"] = new JsonObject { ["id"] = 34 },
            },
            WireSite.GtwySecret);

        Assert.Equal((200, $"34 12 {role} False "), await site.GetAsync(Runtime, ("Authorization", token)));
    }

    [Theory]
    [InlineData("""{"extraDetails":{"type":"embed","folder_id":"f1"},"user":{"id":"12"},"org":{"id":"34"}}""", "34 12 Editor True f1")]
    [InlineData("""{"user":{"id":"12","meta":{"type":"embed"}},"org":{"id":"34"}}""", "34 12 Editor True ")]
    [InlineData(
        """{"extraDetails":{"type":"embed"},"user":{"id":"12","permissions":["get_agent","create_agent","clone_agent"]},"org":{"id":"34"}}""",
        "34 12 Editor True ")]
    public async Task Embedded_users_are_editors_within_their_folder(string claims, string caller) => Assert.Equal(
        (200, caller),
        await site.GetAsync(Runtime, ("Authorization", WireSite.Sign((JsonObject)JsonNode.Parse(claims)!, WireSite.GtwySecret))));

    public static TheoryData<string> Unauthorized =>
    [
        "", "Bearer", "Bearer ", "nonsense", "a.b.c", $"Bearer {DevelopmentKey.Token}x",
        "stoa_000000000000_0000000000000000000000000000000000000000000",
        WireSite.GtwyToken(WireSite.ChatbotSecret), WireSite.GtwyToken(lifetime: -3600), WireSite.GtwyToken() + "A",
        WireSite.Sign(new() { ["org"] = new JsonObject { ["id"] = "34" } }, WireSite.GtwySecret),
        WireSite.Sign(new() { ["user"] = new JsonObject { ["id"] = "12" } }, WireSite.GtwySecret),
        WireSite.Sign(new() { ["user"] = "12", ["org"] = "34" }, WireSite.GtwySecret),
        WireSite.Sign(new() { ["user"] = new JsonObject { ["id"] = "" }, ["org"] = new JsonObject { ["id"] = "34" } }, WireSite.GtwySecret),
    ];

    [Theory]
    [MemberData(nameof(Unauthorized), DisableDiscoveryEnumeration = true)]
    public async Task Every_refusal_reads_alike(string sent)
    {
        Assert.Equal((401, """{"detail":"unauthorized user"}"""), await site.GetAsync(Runtime, ("Authorization", sent)));
        Assert.Equal((401, """{"message":"unauthorized user"}"""), await site.GetAsync(Management, ("Authorization", sent)));
        Assert.Equal((401, """{"message":"unauthorized user"}"""), await site.GetAsync(Management, ("pauthkey", sent)));
        Assert.Equal((401, """{"message":"unauthorized user"}"""), await site.GetAsync(Management, ("proxy_auth_token", sent)));
    }

    [Fact]
    public async Task The_first_that_is_sent_counts_and_is_not_made_good_by_the_next()
    {
        (string, string) good = ("pauthkey", DevelopmentKey.Token);
        Assert.Equal((200, $"{Organization} Admin"), await site.GetAsync(Management, good));
        Assert.Equal((200, "34 Viewer"), await site.GetAsync(Management, good, ("Authorization", WireSite.GtwyToken())));

        Assert.Equal(401, (await site.GetAsync(Management, good, ("Authorization", "wrong"))).Status);
        Assert.Equal(401, (await site.GetAsync(Management, good, ("proxy_auth_token", "wrong"))).Status);
        Assert.Equal(401, (await site.GetAsync(Management, ("pauthkey", "wrong"), ("pauthtoken", DevelopmentKey.Token))).Status);
        Assert.Equal(401, (await site.GetAsync(Management, ("pauthkey", DevelopmentKey.Token), ("pauthkey", DevelopmentKey.Token))).Status);
    }

    [Fact]
    public async Task A_key_that_is_no_admins_runs_and_sees()
    {
        var made = await site.Host.Services.GetRequiredService<KeyStore>()
            .CreateAsync(Stoa.Platform.Identity.Organization.DefaultId, new("app"), "test", Ct);
        await site.Host.Services.GetRequiredService<KeyRingSync>().ReloadAsync(Ct);

        Assert.Equal((200, $"{Organization}  Viewer False "), await site.GetAsync(Runtime, ("pauthkey", made.Token)));
    }

    [Fact]
    public async Task A_token_is_revoked_by_its_owners_sign_out_also_where_it_is_a_chatbots()
    {
        var (user, chatbot) = (WireSite.GtwyToken(), WireSite.ChatbotToken());
        var spent = site.Host.Services.GetRequiredService<SpentTokens>();
        Assert.Equal(200, (await site.GetAsync(Runtime, ("Authorization", user))).Status);

        Assert.True(await spent.SpendAsync(user, end: null, Ct));
        Assert.True(await spent.SpendAsync(chatbot, end: null, Ct));

        Assert.Equal((401, """{"message":"token revoked"}"""), await site.GetAsync(Management, ("Authorization", user)));
        Assert.Equal((401, """{"detail":"token revoked"}"""), await site.GetAsync(Runtime, ("Authorization", $"Bearer {user}")));
        Assert.Equal((401, """{"detail":"unauthorized user"}"""), await site.GetAsync("/chatbot/b/probe", ("Authorization", chatbot)));
        Assert.Equal(200, (await site.GetAsync(Runtime, ("Authorization", WireSite.GtwyToken(lifetime: 601)))).Status);
    }

    [Fact]
    public async Task What_we_issue_is_taken_for_two_days()
    {
        var tokens = site.Host.Services.GetRequiredService<GtwyTokens>();
        var claims = new JsonObject { ["user"] = new JsonObject { ["id"] = "12" }, ["org"] = new JsonObject { ["id"] = "34" } };

        Assert.Equal(200, (await site.GetAsync(Runtime, ("Authorization", tokens.IssueUser(claims)))).Status);
        Assert.Equal(401, (await site.GetAsync(Runtime, ("Authorization", tokens.IssueUser(claims, TimeSpan.FromHours(-1))))).Status);
        var issued = tokens.ReadUser(tokens.IssueUser(claims)).Claims!.All;
        Assert.Equal(48 * 3600, issued.GetProperty("exp").GetInt64() - issued.GetProperty("iat").GetInt64());
    }

    [Fact]
    public async Task A_chatbots_caller_is_told_what_is_wrong_with_his_token()
    {
        const string probe = "/chatbot/bot/probe";
        Assert.Equal((498, """{"detail":"invalid token"}"""), await site.GetAsync(probe));
        Assert.Equal(
            (401, """{"detail":"unauthorized user: token expired"}"""),
            await site.GetAsync(probe, ("Authorization", WireSite.ChatbotToken(lifetime: -3600))));
        Assert.Equal((401, """{"detail":"unauthorized user"}"""), await site.GetAsync(probe, ("Authorization", "a.b.c")));
        Assert.Equal((401, """{"detail":"unauthorized user"}"""),
            await site.GetAsync(probe, ("Authorization", WireSite.ChatbotToken(WireSite.PublicSecret, lifetime: -3600))));
        Assert.Equal((200, "34 guest False"), await site.GetAsync(probe, ("Authorization", WireSite.ChatbotToken())));
        var visitor = WireSite.Sign(new() { ["userId"] = "x", ["ispublic"] = true }, WireSite.PublicSecret);
        Assert.Equal((200, " x True"), await site.GetAsync("/chatbot/Public_Agents/probe", ("Authorization", $"Bearer {visitor}")));
    }
}
