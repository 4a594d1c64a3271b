using System.ComponentModel.DataAnnotations;
using System.Net.Mail;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace Stoa.Assistants.Mail;

/// <summary>Section <c>Assistants:Mail</c>: by which server mail leaves, and who reads ours. Without a server none is sent.</summary>
internal sealed class MailOptions
{
    public const string Section = "Assistants:Mail";

    /// <summary>The SMTP server. Absent, and no <see cref="SesRegion"/> either: no mail is sent.</summary>
    public string? Host { get; set; }

    [Range(1, 65_535)]
    public int Port { get; set; } = 587;

    /// <summary>Whether the connection must be encrypted (<c>STARTTLS</c>) before anything is said on it.</summary>
    public bool StartTls { get; set; } = true;

    /// <summary>Who signs in at the server; absent: <see cref="SenderEmail"/>.</summary>
    public string? User { get; set; }

    /// <summary>Absent: nobody signs in.</summary>
    public string? Password { get; set; }

    public string? SenderEmail { get; set; }

    /// <summary>The name beside the sender's address.</summary>
    public string? SenderName { get; set; }

    /// <summary>Amazon SES in this region, by its SMTP endpoint, with the keys of an account that may <c>ses:SendRawEmail</c>.</summary>
    public string? SesRegion { get; set; }

    public string? SesAccessKeyId { get; set; }

    public string? SesSecretAccessKey { get; set; }

    /// <summary>What people's mails link to: the web application.</summary>
    [Url]
    public string? WebappUrl { get; set; }

    /// <summary>Addresses with commas between them.</summary>
    public string AdminReceivers { get; set; } = "";

    public string TechnicalReceivers { get; set; } = "";

    public string PurchasesReceivers { get; set; } = "";

    [Range(1, 300)]
    public int TimeoutSeconds { get; set; } = 60;

    public bool IsConfigured => Host is { Length: > 0 } || SesRegion is { Length: > 0 };

    internal static string[] Addresses(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

internal sealed class MailOptionsValidator : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        if (options.IsConfigured && !IsAddress(options.SenderEmail))
        {
            return ValidateOptionsResult.Fail($"{nameof(options.SenderEmail)} must be the address that mail is sent from");
        }
        if (options.SesRegion is { Length: > 0 } region
            && (string.IsNullOrEmpty(options.SesAccessKeyId)
                || string.IsNullOrEmpty(options.SesSecretAccessKey) || !region.All(IsOfRegion)))
        {
            return ValidateOptionsResult.Fail(
                $"{nameof(options.SesRegion)} must be a region such as eu-west-1, with {nameof(options.SesAccessKeyId)} and {nameof(options.SesSecretAccessKey)}");
        }
        (string Name, string Value)[] lists =
        [
            (nameof(options.AdminReceivers), options.AdminReceivers), (nameof(options.TechnicalReceivers), options.TechnicalReceivers),
            (nameof(options.PurchasesReceivers), options.PurchasesReceivers),
        ];
        var wrong = lists.FirstOrDefault(list => MailOptions.Addresses(list.Value).Any(address => !IsAddress(address)));
        return wrong.Name is null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{wrong.Name} must list e-mail addresses, with commas between them");
    }

    // A method of its own, or the library of mail would be loaded by hosts that send none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAddress(string? address) => MailAddress.TryCreate(address, out _);

    private static bool IsOfRegion(char letter) => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-';
}
