using Microsoft.AspNetCore.Connections;
using Stoa.Assistants;
using Stoa.Feedback;
using Stoa.Gateway;
using Stoa.Learning;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Pages;

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
            if (Settings.Read<StoaOptions>(app.Configuration, StoaOptions.Section).Role.HasFlag(ProcessRole.Api))
            {
                app.MapGateway().MapFeedback().MapLearning().MapAssistants().MapPages();
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

    /// <summary>What must be done before the host serves: the database opened. It is brought up to date once the host listens.</summary>
    public static Task PrepareAsync(WebApplication app, CancellationToken ct) => app.Services.GetRequiredService<Database>().OpenAsync(ct);

    /// <summary>For verbs: work over an open and migrated database, without serving.</summary>
    public static async Task<int> WithServicesAsync(Func<IServiceProvider, CancellationToken, Task<int>> work, CancellationToken ct)
    {
        await using var app = await BuildAsync([]);
        await PrepareAsync(app, ct);
        await app.Services.GetRequiredService<Migrator>().MigrateAsync(ct);
        return await work(app.Services, ct);
    }

    public static bool IsAddressInUse(IOException error) => error.InnerException is AddressInUseException;
}
