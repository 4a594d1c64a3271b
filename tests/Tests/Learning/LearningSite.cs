using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Learning.Auth;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary>A host of the learning surface with an issuer of ID tokens, and people who sign in there.</summary>
internal sealed class LearningSite : IAsyncDisposable
{
    private const string Secret = "learning: the secret of the front end";

    private readonly HostUnderTest host;
    private readonly LoopbackIssuer issuer;

    private LearningSite(HostUnderTest host, LoopbackIssuer issuer) => (this.host, this.issuer) = (host, issuer);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public HostUnderTest Host => host;

    public static Task<LearningSite> StartAsync(params (string Key, string Value)[] settings) => StartAsync(TimeProvider.System, settings);

    /// <param name="clock">What the host takes for the time.</param>
    public static async Task<LearningSite> StartAsync(TimeProvider clock, params (string Key, string Value)[] settings)
    {
        var issuer = await LoopbackIssuer.StartAsync("key");
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Google:ClientId"] = "us",
            ["Google:CertificatesUrl"] = issuer.Certificates.AbsoluteUri,
            ["NextAuth:Secrets:0"] = Secret,
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }
        return new(await HostUnderTest.StartAsync(all, builder => builder.Services.AddSingleton(clock)), issuer);
    }

    /// <summary>What Google would have signed for this address.</summary>
    public string IdToken(string email, bool isVerified = true) => issuer.Sign(
        new()
        {
            ["iss"] = "https://accounts.google.com", ["aud"] = "us", ["sub"] = $"google-{email.ToLowerInvariant()}", ["email"] = email,
            ["email_verified"] = isVerified, ["iat"] = Now(), ["exp"] = Now() + 600,
        },
        "key");

    public async Task<Learner> SignInAsync(string email, string name = "Ada Mary Jane", string? family = "Lovelace")
    {
        var user = await OkAsync(null, HttpMethod.Post, "/auth/login",
            new JsonObject { ["email"] = email, ["given_name"] = name, ["family_name"] = family, ["id_token"] = IdToken(email) });
        return new((int)user["id"]!, (string)user["email"]!, (string)user["access_token"]!);
    }

    /// <summary>A token as the sign-in would give it to this user.</summary>
    public Learner Known(int id, string email) => new(id, email, host.Services.GetRequiredService<LearningTokens>().Issue(id, email));

    public async Task<(int Status, JsonNode? Body)> SendAsync(Learner? caller, HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, $"/learning{path}");
        if (caller is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", caller.Token);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }
        using var answer = await host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>The answer to what must succeed.</summary>
    public async Task<JsonNode> OkAsync(Learner? caller, HttpMethod method, string path, JsonNode? body = null)
    {
        var (status, answer) = await SendAsync(caller, method, path, body);
        Assert.True(status == 200, $"{method} {path}: {status} {answer?.ToJsonString()}");
        return answer!;
    }

    public Task<JsonNode> GetAsync(Learner? caller, string path) => OkAsync(caller, HttpMethod.Get, path);

    public Task<JsonNode> PostAsync(Learner? caller, string path, JsonNode body) => OkAsync(caller, HttpMethod.Post, path, body);

    public Task<JsonNode> PutAsync(Learner? caller, string path, JsonNode? body) => OkAsync(caller, HttpMethod.Put, path, body);

    public Task<JsonNode> DeleteAsync(Learner? caller, string path, JsonNode? body = null) =>
        OkAsync(caller, HttpMethod.Delete, path, body);

    /// <summary>The id of what was made.</summary>
    public async Task<int> MakeAsync(Learner caller, string path, JsonNode body) => (int)(await PostAsync(caller, path, body))["id"]!;

    public async Task<string> StatusesAsync(Learner? caller, HttpMethod method, string path, JsonNode? body = null)
    {
        var (status, answer) = await SendAsync(caller, method, path, body);
        return $"{status} {(answer as JsonObject)?["detail"]}";
    }

    public async Task SqlAsync(string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> ValueAsync<T>(string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await issuer.DisposeAsync();
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
}

internal sealed record Learner(int Id, string Email, string Token);

/// <summary>One host for the tests of a class, each of which has a school of its own in it.</summary>
public sealed class SharedLearningSite : IAsyncLifetime
{
    private int schools;

    internal LearningSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await LearningSite.StartAsync();

    public ValueTask DisposeAsync() => Site.DisposeAsync();

    internal Task<School> OpenSchoolAsync() => School.OpenAsync(Site, $"school-{Interlocked.Increment(ref schools)}");
}
