using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Somebody's functions, on loopback: each script does what the test says, else it echoes.</summary>
internal sealed class ToolServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> scripts = new(StringComparer.Ordinal);

    private ToolServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.Run(HandleAsync);
    }

    public string Address => app.Urls.Single();

    /// <summary>What was asked, in order: the path, the body and the headers.</summary>
    public ConcurrentQueue<(string Path, JsonNode? Body, IReadOnlyDictionary<string, string> Headers)> Calls { get; } = new();

    public static async Task<ToolServer> StartAsync()
    {
        var server = new ToolServer();
        await server.app.StartAsync();
        return server;
    }

    /// <param name="script">The last part of the address.</param>
    public void On(string script, Func<HttpContext, Task> answer) => scripts[script] = answer;

    public void Answers(string script, string json) => On(script, context =>
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers["flowHitId"] = "hit-" + script;
        return context.Response.WriteAsync(json, context.RequestAborted);
    });

    public static JsonNode? Body(HttpContext context) => (JsonNode?)context.Items[nameof(Body)];

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var body = context.Request.ContentLength == 0 || HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsDelete(context.Request.Method)
            // Sound, videos and what else is no JSON is left to the script.
            || context.Request.ContentType?.Contains("json", StringComparison.OrdinalIgnoreCase) != true
            ? null
            : await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        Calls.Enqueue((
            context.Request.Path, body,
            context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        context.Items[nameof(Body)] = body;
        var script = context.Request.Path.Value!.Split('/')[^1];
        if (scripts.TryGetValue(script, out var answer))
        {
            await answer(context);
            return;
        }
        await context.Response.WriteAsync(new JsonObject { ["echo"] = body?.DeepClone() }.ToJsonString(), context.RequestAborted);
    }
}
