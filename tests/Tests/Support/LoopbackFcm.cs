using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Support;

/// <summary>Firebase on loopback: it gives access tokens to one service account, and takes messages for devices.</summary>
internal sealed class LoopbackFcm : IAsyncDisposable
{
    public const string Project = "stoa-tests";

    private const string Email = "robot@stoa-tests.iam.gserviceaccount.example";

    private readonly WebApplication app;
    private readonly RSA key = RSA.Create(RsaKeys.Of("fcm"));
    private readonly ConcurrentQueue<JsonObject> messages = new();
    private readonly ConcurrentDictionary<string, (int Status, string Body)> answers = new(StringComparer.Ordinal);
    private readonly TimeProvider clock;
    private Task open = Task.CompletedTask;
    private int tokens, asked;

    private LoopbackFcm(TimeProvider clock)
    {
        this.clock = clock;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/token", GrantAsync);
        app.MapPost($"/v1/projects/{Project}/messages:send", TakeAsync);
    }

    public string Url => app.Urls.Single();

    public IReadOnlyList<JsonObject> Messages => [.. messages];

    public int Tokens => tokens;

    /// <summary>Messages that came, taken or not.</summary>
    public int Asked => asked;

    public IEnumerable<(string Key, string Value)> Settings =>
    [
        ("Assistants:Push:ProjectId", Project), ("Assistants:Push:Url", Url), ("Assistants:Push:ServiceAccount", new JsonObject
        {
            ["client_email"] = Email, ["private_key"] = key.ExportPkcs8PrivateKeyPem(),
            ["private_key_id"] = "k1", ["token_uri"] = $"{Url}/token",
        }.ToJsonString()),
    ];

    public static async Task<LoopbackFcm> StartAsync(TimeProvider clock)
    {
        var fcm = new LoopbackFcm(clock);
        await fcm.app.StartAsync();
        return fcm;
    }

    /// <summary>What is said about a device from now on.</summary>
    public void Answer(string device, int status, string code, string? field = null) => answers[device] = (status, new JsonObject
    {
        ["error"] = new JsonObject
        {
            ["code"] = status,
            ["status"] = status == 404 ? "NOT_FOUND" : code,
            ["details"] = new JsonArray(
                new JsonObject { ["@type"] = "type.googleapis.com/google.firebase.fcm.v1.FcmError", ["errorCode"] = code },
                new JsonObject
                {
                    ["@type"] = "type.googleapis.com/google.rpc.BadRequest",
                    ["fieldViolations"] = field is null ? [] : new JsonArray(new JsonObject { ["field"] = field }),
                }),
        },
    }.ToJsonString());

    /// <summary>Messages are answered only when this has come.</summary>
    public void WaitFor(Task opened) => open = opened;

    public IReadOnlyList<JsonObject> To(string device) => [.. messages.Where(message => (string?)message["token"] == device)];

    /// <summary>What came, and what it was to say.</summary>
    public void Forget()
    {
        messages.Clear();
        answers.Clear();
        (open, asked) = (Task.CompletedTask, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        key.Dispose();
    }

    private async Task GrantAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var isGood = form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            && Jwt.TryRead(
                form["assertion"].ToString(), [SigningKey.Rsa(key.ExportParameters(includePrivateParameters: true), "k1")], new JwtRules(),
                clock.GetUtcNow(), out var claims, out _)
            && claims.Text("iss") == Email && claims.Text("scope") == "https://www.googleapis.com/auth/firebase.messaging";
        context.Response.StatusCode = isGood ? 200 : 401;
        if (isGood)
        {
            Interlocked.Increment(ref tokens);
            await context.Response.WriteAsJsonAsync(
                new JsonObject { ["access_token"] = "ya29.loopback", ["expires_in"] = 3_599, ["token_type"] = "Bearer" });
        }
    }

    private async Task TakeAsync(HttpContext context)
    {
        var message = (await JsonNode.ParseAsync(context.Request.Body))!["message"]!.AsObject();
        if (context.Request.Headers.Authorization != "Bearer ya29.loopback")
        {
            context.Response.StatusCode = 401;
            return;
        }
        Interlocked.Increment(ref asked);
        await open;
        if (answers.TryGetValue((string)message["token"]!, out var answer))
        {
            context.Response.StatusCode = answer.Status;
            await context.Response.WriteAsync(answer.Body);
            return;
        }
        messages.Enqueue(message);
        await context.Response.WriteAsJsonAsync(new JsonObject { ["name"] = $"projects/{Project}/messages/{messages.Count}" });
    }
}
