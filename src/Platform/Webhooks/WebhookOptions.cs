using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    public const string Section = "Webhooks";

    /// <summary>How long a receiver may take to answer.</summary>
    [Range(1, 60)]
    public int TimeoutSeconds { get; set; } = 15;

    /// <summary>Days for which a delivery and what the receiver answered are kept.</summary>
    [Range(1, 3_650)]
    public int KeepDays { get; set; } = 30;
}

[OptionsValidator]
internal sealed partial class WebhookOptionsValidator : IValidateOptions<WebhookOptions>;
