using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Stoa.Learning.Auth;

/// <summary>Says at the start and each hour that nobody is asked who he is.</summary>
internal sealed partial class OpenModeWarning(IOptions<LearningAuthOptions> options, TimeProvider time, ILogger<OpenModeWarning> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Mode != LearningAuthMode.Open)
        {
            return;
        }
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), time);
        do
        {
            LogOpen();
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "Learning:Auth:Mode is Open: below /learning everybody can be anybody")]
    private partial void LogOpen();
}
