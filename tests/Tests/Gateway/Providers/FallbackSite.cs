using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>
/// A host that is in no mood to wait, before two scripted servers: <c>bad-…</c> are providers at the first, one for each kind of trouble so
/// that their circuits do not mix; <c>good</c> and <c>anth</c> are at the second.
/// </summary>
public sealed class FallbackSite : IAsyncLifetime
{
    public const string Chat = "/v1/chat/completions";
    public const string Messages = "/v1/messages";

    public static readonly string[] Troubles = ["limited", "broken", "cut", "garbage", "silent", "drip", "locked"];

    public ScriptedProvider Bad { get; private set; } = null!;

    public ScriptedProvider Good { get; private set; } = null!;

    internal HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Bad = await ScriptedProvider.StartAsync();
        Good = await ScriptedProvider.StartAsync("good-key");
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Gateway:Retries"] = "0",
            // Long enough for the good ones on a machine under load.
            ["Gateway:Timeouts:FirstByteMs"] = "8000",
            ["Gateway:Timeouts:NonStreamMs"] = "8000",
            ["Gateway:Timeouts:IdleMs"] = "6000",
            ["Gateway:Models:shared:Strategy"] = "weighted",
            ["Gateway:Models:shared:Targets:0:Model"] = "good/one",
            ["Gateway:Models:shared:Targets:0:Weight"] = "3",
            ["Gateway:Models:shared:Targets:1:Model"] = "good/two",
            ["Gateway:Models:sure:Targets:0:Model"] = "bad-sure/first",
            ["Gateway:Models:sure:Targets:1:Model"] = "good/second",
        };
        foreach (var trouble in Troubles.Append("sure").Append("late").Append("wrong").Append("hasty"))
        {
            Add(settings, $"bad-{trouble}", "openai", new Uri(Bad.BaseAddress, "/v1").ToString(), trouble == "locked" ? "no-key" : Bad.Key);
        }
        Add(settings, "good", "openai", new Uri(Good.BaseAddress, "/v1").ToString(), Good.Key);
        Add(settings, "anth", "anthropic", Good.BaseAddress.ToString(), Good.Key);
        Add(settings, "lost", "anthropic", Bad.BaseAddress.ToString(), "no-key");
        Add(settings, "keyless", "groq", new Uri(Good.BaseAddress, "/v1").ToString(), null);
        Host = await HostUnderTest.StartAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Bad.DisposeAsync();
        await Good.DisposeAsync();
    }

    internal async Task<(HttpResponseMessage Answer, string Body)> AskAsync(
        string model, bool streams = false, string path = Chat, string key = "stoa-dev", params (string Name, string Value)[] headers)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["max_tokens"] = 100,
            ["stream"] = streams,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello there" }),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        var answer = await Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Gives the default organization a key of its own for a service, and waits until calls use it.</summary>
    internal async Task StoreKeyAsync(string service, string secret)
    {
        var seal = Host.Services.GetRequiredService<KeySeal>();
        await using (var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            """
            insert into gateway.provider_keys (id, organization_id, name, service, secret, mask, status, document, created_at, updated_at)
            values (substr(md5(random()::text), 1, 24), $1, $2, $2, $3, '', 'working', '{}', now(), now())
            """))
        {
            command.Parameters.Add(new() { Value = Organization.DefaultId });
            command.Parameters.Add(new() { Value = service });
            command.Parameters.Add(new() { Value = seal.Seal(secret) });
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var keys = Host.Services.GetRequiredService<StoredKeys>();
        await Patience.UntilAsync(() => keys.Find(Organization.DefaultId, ProviderKind.Find(service)!)?.Secret == secret);
    }

    /// <summary>A key of the default organization with a scope, known to the host.</summary>
    internal async Task<string> KeyAsync(IReadOnlyList<string>? models = null, IReadOnlyList<string>? providers = null)
    {
        var made = await Host.Services.GetRequiredService<KeyStore>().CreateAsync(
            Organization.DefaultId, new KeyTerms("test", false, models, providers, null, null, null),
            "test", TestContext.Current.CancellationToken);
        return made.Token;
    }

    internal static ScriptedAnswer AnswerOf(string trouble) => trouble switch
    {
        "limited" => ScriptedAnswer.Error((int)HttpStatusCode.TooManyRequests, retryAfter: TimeSpan.FromSeconds(30)),
        "broken" => ScriptedAnswer.Error((int)HttpStatusCode.InternalServerError),
        "cut" => ScriptedAnswer.Text("never seen").Cut(after: 0),
        "garbage" => ScriptedAnswer.Error(200, "<html>busy</html>"),
        "silent" => ScriptedAnswer.Text("too late").Hold(),
        // Always at work, and never done: no whole answer or event comes in time.
        "drip" => ScriptedAnswer.Text("never whole").SplitBytes(1).Drip(TimeSpan.FromMilliseconds(100)),
        _ => ScriptedAnswer.Default,
    };

    private static void Add(Dictionary<string, string?> settings, string name, string kind, string address, string? key)
    {
        settings[$"Gateway:Providers:{name}:Kind"] = kind;
        settings[$"Gateway:Providers:{name}:BaseUrl"] = address;
        settings[$"Gateway:Providers:{name}:ApiKey"] = key;
    }
}
