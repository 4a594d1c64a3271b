using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Mail;

/// <summary>Sends mail by SMTP. Called by jobs: what fails here is tried again by theirs.</summary>
internal sealed class Mailer(IOptions<MailOptions> options, TimeProvider time)
{
    private readonly MailOptions settings = options.Value;

    public bool IsConfigured => settings.IsConfigured;

    /// <summary>
    /// Returns when the server has taken it. <paramref name="taken"/> runs then at once, before the connection is closed: the shorter the
    /// time until it is written down, the smaller the chance that a crash makes a second one.
    /// </summary>
    /// <exception cref="JobFailure">No repetition helps: the receiver does not exist, or nothing is configured.</exception>
    public async Task SendAsync(Letter letter, Func<Task> taken, CancellationToken ct)
    {
        if (!IsConfigured)
        {
            throw JobFailure.Dead("No mail server is configured");
        }
        using var mail = MessageOf(letter);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(settings.TimeoutSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        using var client = ClientOf(settings);
        try
        {
            await client.SendMailAsync(mail, either.Token);
        }
        catch (SmtpFailedRecipientException refused) when ((int)refused.StatusCode >= 500)
        {
            throw JobFailure.Dead($"The mail server refused the receiver with {(int)refused.StatusCode}");
        }
        catch (SmtpException problem)
        {
            throw NotTaken(problem.StatusCode);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw JobFailure.RetryAfter(TimeSpan.FromMinutes(1), "The mail server did not answer in time");
        }
        await taken();
    }

    // What the server said stays behind: it may name addresses.
    private static IOException NotTaken(SmtpStatusCode status) => new($"The mail server did not take the mail ({status})");

    private MailMessage MessageOf(Letter letter)
    {
        var sender = new MailAddress(settings.SenderEmail!, Letter.Line(settings.SenderName ?? ""), Encoding.UTF8);
        var mail = new MailMessage
        {
            From = sender,
            Subject = Letter.Line(letter.Subject),
            SubjectEncoding = Encoding.UTF8,
            HeadersEncoding = Encoding.UTF8,
            Body = letter.Text,
            BodyEncoding = Encoding.UTF8,
            BodyTransferEncoding = TransferEncoding.Base64,
        };
        foreach (var receiver in letter.To)
        {
            if (!Letter.IsAddress(receiver))
            {
                throw JobFailure.Dead("The receiver is no e-mail address");
            }
            mail.To.Add(new MailAddress(receiver));
        }
        if (letter.Html is { } html)
        {
            // multipart/alternative: the last one that a reader can show is shown.
            var view = AlternateView.CreateAlternateViewFromString(html, Encoding.UTF8, MediaTypeNames.Text.Html);
            view.TransferEncoding = TransferEncoding.Base64;
            mail.AlternateViews.Add(view);
        }
        mail.Headers["Message-ID"] = $"<{letter.Id}@{sender.Host}>";
        mail.Headers["Auto-Submitted"] = "auto-generated";
        if (letter.UnsubscribeUrl is { } unsubscribe)
        {
            mail.Headers["List-Unsubscribe"] = $"<{unsubscribe}>";
            mail.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click";
        }
        return mail;
    }

    private static SmtpClient ClientOf(MailOptions settings)
    {
        var isSes = settings.SesRegion is { Length: > 0 };
        var password = isSes ? SesPassword(settings.SesSecretAccessKey!, settings.SesRegion!) : settings.Password;
        return new(isSes ? $"email-smtp.{settings.SesRegion}.amazonaws.com" : settings.Host, isSes ? 587 : settings.Port)
        {
            EnableSsl = isSes || settings.StartTls,
            Credentials = string.IsNullOrEmpty(password)
                ? null
                : new NetworkCredential(isSes ? settings.SesAccessKeyId : settings.User ?? settings.SenderEmail, password),
        };
    }

    /// <summary>
    /// What SES's SMTP endpoint takes as the password of an account that has this secret key: a signature of its, version 4.
    /// </summary>
    internal static string SesPassword(string secretKey, string region)
    {
        ReadOnlySpan<string> signed = ["11111111", region, "ses", "aws4_request", "SendRawEmail"];
        var key = Encoding.UTF8.GetBytes($"AWS4{secretKey}");
        foreach (var text in signed)
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
        }
        return Convert.ToBase64String([4, .. key]);
    }
}
