using Stoa.Platform.Identity;

namespace Stoa.Tests.Wires;

/// <summary>What opens one surface opens no other.</summary>
public sealed class SchemeBoundaryTests : IAsyncLifetime
{
    // Credential, and every place where it is taken. Nobody else's place may let it in.
    private static readonly Dictionary<string, string[]> Taken = new(StringComparer.Ordinal)
    {
        ["stoa key as bearer"] = ["/api/stoa/keys", "/v1/models", "/api/v2/probe", "/api/agent/probe"],
        ["stoa key, bare"] = ["/api/v2/probe", "/api/agent/probe"],
        ["stoa key as pauthkey"] = ["/api/v2/probe", "/api/agent/probe"],
        ["stoa key as pauthtoken"] = ["/api/agent/probe"],
        ["stoa key as x-api-key"] = ["/v1/models"],
        ["gtwy token"] = ["/api/v2/probe", "/api/agent/probe"],
        ["gtwy token as bearer"] = ["/api/v2/probe", "/api/agent/probe"],
        ["chatbot token"] = ["/chatbot/bot/probe"],
        ["public chatbot token"] = ["/chatbot/Public_Agents/probe"],
        ["oasst key"] = ["/api/v1/probe", "/api/v1/probe/trusted"],
        ["root token"] = ["/api/v1/root"],
        ["next-auth cookie"] = ["/learning/probe", "/learning/probe/published", "/api/v1/auth/check"],
        ["next-auth token as bearer"] = [],
        ["mojodex token"] = ["/assistants/probe/user", "/assistants/probe/either"],
        ["mojodex token as bearer"] = [],
        ["scheduler secret"] = ["/assistants/probe/scheduler", "/assistants/probe/either"],
        ["background secret"] = [],
        ["nothing"] = [],
    };

    private static readonly string[] Places =
        [.. Taken.Values.SelectMany(places => places).Distinct(StringComparer.Ordinal), "/background/probe"];

    private WireSite site = null!;

    public async ValueTask InitializeAsync() => site = await WireSite.StartAsync();

    public ValueTask DisposeAsync() => site.DisposeAsync();

    [Fact]
    public async Task Each_credential_opens_its_own_surface_and_no_other()
    {
        List<string> wrong = [];
        foreach (var (credential, places) in Taken)
        {
            foreach (var place in Places)
            {
                var (status, body) = await site.GetAsync(place, Headers(credential));
                if (status is < 200 or >= 500 || (status == 200) != places.Contains(place))
                {
                    wrong.Add($"{credential} at {place}: {status} {body}");
                }
            }
        }
        Assert.Empty(wrong);
        Assert.True(Places.Length * Taken.Count >= 200);
    }

    private static (string, string)[] Headers(string credential) => credential switch
    {
        "stoa key as bearer" => [("Authorization", $"Bearer {DevelopmentKey.Token}")],
        "stoa key, bare" => [("Authorization", DevelopmentKey.Token)],
        "stoa key as pauthkey" => [("pauthkey", DevelopmentKey.Token)],
        "stoa key as pauthtoken" => [("pauthtoken", DevelopmentKey.Token)],
        "stoa key as x-api-key" => [("x-api-key", DevelopmentKey.Token)],
        "gtwy token" => [("Authorization", WireSite.GtwyToken())],
        "gtwy token as bearer" => [("Authorization", $"Bearer {WireSite.GtwyToken()}")],
        "chatbot token" => [("Authorization", WireSite.ChatbotToken())],
        "public chatbot token" => [("Authorization", $"Bearer {WireSite.ChatbotToken(WireSite.PublicSecret)}")],
        "oasst key" => [("X-API-Key", WireSite.WebKey)],
        "root token" => [("Authorization", $"Bearer {WireSite.RootToken}")],
        "next-auth cookie" => [("Cookie", WireSite.NextAuthCookie())],
        "next-auth token as bearer" => [("Authorization", $"Bearer {WireSite.NextAuthToken()}")],
        "mojodex token" => [("Authorization", WireSite.MojodexToken())],
        "mojodex token as bearer" => [("Authorization", $"Bearer {WireSite.MojodexToken()}")],
        "scheduler secret" => [("Authorization", WireSite.SchedulerSecret)],
        "background secret" => [("Authorization", WireSite.BackgroundSecret)],
        _ => [],
    };
}
