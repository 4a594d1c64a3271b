using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Stoa.Tests.Gateway;

/// <summary>A provider on loopback that answers each model with fixed bytes, whether they make sense or not.</summary>
internal sealed class OddProvider : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, (string? Type, byte[] Body)> answers = new(StringComparer.Ordinal);
    private int calls;

    private OddProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public int Calls => calls;

    public static async Task<OddProvider> StartAsync()
    {
        var provider = new OddProvider();
        await provider.app.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    /// <summary>The settings that put it behind the names <c>open</c> (OpenAI's dialect) and <c>anth</c> (Anthropic's).</summary>
    public Dictionary<string, string?> Settings => new(StringComparer.Ordinal)
    {
        ["Gateway:Retries"] = "0",
        ["Gateway:Providers:open:Kind"] = "openai",
        ["Gateway:Providers:open:BaseUrl"] = $"{app.Urls.Single()}/v1",
        ["Gateway:Providers:anth:Kind"] = "anthropic",
        ["Gateway:Providers:anth:BaseUrl"] = app.Urls.Single(),
    };

    public void Answers(string model, string? type, string body) => answers[model] = (type, Encoding.UTF8.GetBytes(body));

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref calls);
        var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var (type, bytes) = answers[(string)body!["model"]!];
        context.Response.ContentType = type;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
