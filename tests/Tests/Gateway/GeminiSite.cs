using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>A host before a scripted provider of Gemini's dialect, and a place on the web that holds pictures.</summary>
public sealed class GeminiSite : IAsyncLifetime
{
    /// <summary>The first bytes make a PNG.</summary>
    public static readonly byte[] Picture = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00];

    private HostUnderTest host = null!;
    private WebApplication web = null!;

    public ScriptedProvider Provider { get; private set; } = null!;

    public string Web => web.Urls.Single();

    public async ValueTask InitializeAsync()
    {
        Provider = await ScriptedProvider.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        web = builder.Build();
        web.MapGet("/picture", () => Results.Bytes(Picture, "application/octet-stream"));
        web.MapGet("/page", () => Results.Text("<html>", "text/html"));
        await web.StartAsync();
        host = await HostUnderTest.StartAsync(new()
        {
            ["Egress:Allow"] = "127.0.0.1",
            ["Gateway:Providers:gemini:Kind"] = "gemini",
            ["Gateway:Providers:gemini:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Providers:gemini:ApiKey"] = Provider.Key,
            ["Gateway:Providers:locked:Kind"] = "gemini",
            ["Gateway:Providers:locked:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Providers:locked:ApiKey"] = "other",
            ["Gateway:Providers:faulty:Kind"] = "gemini",
            ["Gateway:Providers:faulty:BaseUrl"] = Provider.BaseAddress.ToString(),
            ["Gateway:Providers:faulty:ApiKey"] = Provider.Key,
        });
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await web.DisposeAsync();
        await Provider.DisposeAsync();
    }

    public async Task<HttpResponseMessage> SendAsync(string path, JsonObject body)
    {
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        return await host.Client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
    }

    public async Task<(int Status, string Body)> PostAsync(string path, JsonObject body)
    {
        using var answer = await SendAsync(path, body);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
