using System.ComponentModel.DataAnnotations;

namespace Stoa.Feedback.Reports;

/// <summary>Section <c>Feedback:Reports</c>: the Discord channel that is told of reports.</summary>
internal sealed class ReportOptions
{
    public const string Section = "Feedback:Reports";

    /// <summary>Of the bot; without it, or without the channel, nobody is told.</summary>
    public string? DiscordApiKey { get; set; }

    public string? DiscordChannelId { get; set; }

    [Required, Url]
    public string DiscordUrl { get; set => field = value.TrimEnd('/'); } = "https://discord.com/api/v10";

    /// <summary>The web site, to whose pages of administration the links lead.</summary>
    [Required, Url]
    public string WebUrl { get; set => field = value.TrimEnd('/'); } = "http://localhost:3000";

    public bool IsConfigured => !string.IsNullOrWhiteSpace(DiscordApiKey) && !string.IsNullOrWhiteSpace(DiscordChannelId);
}
