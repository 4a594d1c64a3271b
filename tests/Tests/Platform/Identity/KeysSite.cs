using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Tests.Platform.Identity;

/// <summary>The routes below <c>/api/stoa/keys</c> on a free loopback port, with statuses as the dialects give them.</summary>
internal sealed class KeysSite(WebApplication app) : IAsyncDisposable
{
    public static async Task<KeysSite> StartAsync(NpgsqlDataSource source)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(source);
        builder.Services.AddSingleton<DatabaseReadiness>();
        builder.Services.AddSingleton<ChangeFeed>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ChangeFeed>());
        builder.Services.AddIdentity();
        builder.Services.AddLimits();
        Cors.AddPolicies(builder.Services, []);
        var app = builder.Build();
        app.Services.GetRequiredService<DatabaseReadiness>().Migrated();
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Failure failure)
            {
                context.Response.StatusCode = new Dialect().StatusOf(failure);
            }
        });
        app.UseRouting();
        app.UseCors();
        app.MapIdentity();
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.Services.GetRequiredService<KeyRing>().WhenLoaded(TestContext.Current.CancellationToken);
        return new(app);
    }

    public KeyRing Ring => app.Services.GetRequiredService<KeyRing>();

    public HttpClient Client(string? token)
    {
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private sealed class Dialect : ErrorDialect
    {
        public override Task WriteAsync(Microsoft.AspNetCore.Http.HttpContext context, Failure failure) => Task.CompletedTask;
    }
}
