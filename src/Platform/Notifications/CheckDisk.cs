using System.Globalization;
using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Notifications;

/// <summary>Alerts the operators when the disk of the data directory fills up.</summary>
internal sealed record CheckDisk
{
    public const string Kind = "platform.check_disk";
}

internal sealed class CheckDiskHandler(Slack slack, IOptions<NotificationOptions> options, IOptions<StoaOptions> host)
    : IJobHandler<CheckDisk>
{
    public async Task RunAsync(CheckDisk job, JobContext context, CancellationToken ct)
    {
        if (!slack.Has(SlackChannel.Alert))
        {
            return;
        }
        var free = new DriveInfo(Path.GetFullPath(host.Value.DataDirectory)).AvailableFreeSpace >> 30;
        if (free < options.Value.DiskAlert.FreeGb)
        {
            await slack.PostAsync(
                SlackChannel.Alert, string.Create(CultureInfo.InvariantCulture, $"<!channel> Low disk space: {free} GB left"), ct);
        }
    }
}
