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
    /// <param name="extend">Routes of a test, mapped after ours.</param>
    public static async Task<WebApplication> BuildAsync(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null, Action<WebApplication>? extend = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.AddPlatform().AddGateway().AddFeedback().AddLearning().AddAssistants();

        var app = builder.Build();
        try
        {
            app.UsePlatform();
            if (Settings.Read<StoaOptions>(app.Configuration, StoaOptions.Section).Role.HasFlag(Role.Api))
            {
                app.MapGateway().MapFeedback().MapLearning().MapAssistants();
            }
            extend?.Invoke(app);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>What must be done before the host serves and what <c>migrate</c> does alone: the database opened and brought up to date.</summary>
    public static Task PrepareAsync(WebApplication app, CancellationToken ct) => Task.CompletedTask;

    public static bool IsAddressInUse(IOException error) => error.InnerException is AddressInUseException;
}
