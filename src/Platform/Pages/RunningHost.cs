using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Data;

namespace Stoa.Platform.Pages;

/// <summary>What runs here, as the pages tell it.</summary>
public sealed class RunningHost(
    IHostEnvironment environment, IOptions<StoaOptions> options, Database database, DatabaseReadiness readiness, TimeProvider time)
{
    private readonly long start = time.GetTimestamp();

    public static string Version { get; } = typeof(RunningHost).Assembly.GetName().Version!.ToString(3);

    public string Environment => environment.EnvironmentName;

    public ProcessRole Role => options.Value.Role;

    public TimeSpan Uptime => time.GetElapsedTime(start);

    public string DataDirectory => Path.GetFullPath(options.Value.DataDirectory);

    /// <summary>A folder, or host, port and name; never a password.</summary>
    public string DatabasePlace => database.Where;

    public bool HasPrivateDatabase => database.IsPrivate;

    /// <summary>Why tables cannot be read yet; null once they could be.</summary>
    public string? DatabaseProblem => readiness.IsReady ? null : readiness.Problem;
}
