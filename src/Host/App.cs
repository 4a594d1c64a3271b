using Microsoft.AspNetCore.Connections;
using Stoa.Assistants;
using Stoa.Feedback;
using Stoa.Gateway;
using Stoa.Learning;
using Stoa.Platform;

namespace Stoa.Host;

/// <summary>How the one process is put together; the verbs, the tests and the benchmarks all start here.</summary>
internal static class App
{
    /// <summary>The host, checked and mapped, not yet started.</summary>
    /// <param name="settings">Stronger than every other source.</param>
    /// <param name="add">Services of a test, added after ours.</param>
    /// <param name="map">Routes of a test, mapped after ours.</param>
    public static async Task<WebApplication> BuildAsync(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null, Action<WebApplicationBuilder>? add = null,
        Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.AddPlatform().AddGateway().AddFeedback().AddLearning().AddAssistants();
        add?.Invoke(builder);

        var app = builder.Build();
        try
        {
            app.UsePlatform();
            if (Settings.Read<StoaOptions>(app.Configuration, StoaOptions.Section).Role.HasFlag(Role.Api))
            {
                app.MapGateway().MapFeedback().MapLearning().MapAssistants();
            }
            map?.Invoke(app);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Before the host serves, and all that <c>migrate</c> does: the database is opened and brought up to date.</summary>
    public static Task PrepareAsync(WebApplication app, CancellationToken ct) => Task.CompletedTask;

    public static bool IsAddressInUse(IOException error) => error.InnerException is AddressInUseException;
}
