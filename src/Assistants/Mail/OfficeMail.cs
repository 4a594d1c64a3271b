using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Mail;

/// <summary>The operators' own mailboxes.</summary>
internal enum Mailbox
{
    Admin,
    Technical,
    Purchases,
}

/// <summary>A mail to the operators: one per job, in words that name nobody but by his id.</summary>
internal sealed record SendOfficeMail(Mailbox Mailbox, string Subject, string Text)
{
    public const string Kind = "assistants.send_office_mail";

    public static readonly JobRules Rules = new() { Priority = JobPriority.Low, MaxAge = TimeSpan.FromDays(2), IsSensitive = true };
}

internal sealed partial class SendOfficeMailHandler(Mailer mailer, IOptions<MailOptions> options, ILogger<SendOfficeMailHandler> logger)
    : IJobHandler<SendOfficeMail>
{
    public async Task RunAsync(SendOfficeMail job, JobContext context, CancellationToken ct)
    {
        var receivers = MailOptions.Addresses(job.Mailbox switch
        {
            Mailbox.Admin => options.Value.AdminReceivers,
            Mailbox.Technical => options.Value.TechnicalReceivers,
            Mailbox.Purchases => options.Value.PurchasesReceivers,
        });
        if (!mailer.IsConfigured || receivers.Length == 0)
        {
            LogInstead(job.Mailbox, job.Subject);
            return;
        }
        await mailer.SendAsync(new($"office.{context.JobId:n}", receivers, job.Subject, job.Text), () => Task.CompletedTask, ct);
    }

    [LoggerMessage(LogLevel.Warning, "Nobody reads the mailbox {Mailbox}: {Subject}")]
    private partial void LogInstead(Mailbox mailbox, string subject);
}

/// <summary>Tells the technical mailbox of something that somebody should look at; what repeats itself is told once an hour.</summary>
internal sealed partial class TechnicalMail(JobQueue queue, IHostEnvironment environment, ILogger<TechnicalMail> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromHours(1);

    /// <summary>Never fails: the mail is about a failure already.</summary>
    /// <param name="what">The same for the same problem; no person's words, names or addresses.</param>
    public async Task TellAsync(string what, CancellationToken ct)
    {
        try
        {
            await queue.EnqueueAsync(Letter(what), Once(what), ct);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            LogLost(what, problem.Message);
        }
    }

    /// <summary>In the transaction of what it is about, so that whoever is run again does not tell of it again.</summary>
    /// <inheritdoc cref="TellAsync" path="/param"/>
    public void Tell(AssistantsDb db, string what) => db.Enqueue(Letter(what), Once(what));

    /// <summary>The same, of what is never told twice.</summary>
    public void TellAlways(AssistantsDb db, string what) => db.Enqueue(Letter(what));

    private SendOfficeMail Letter(string what) =>
        new(Mailbox.Technical, $"MOJODEX ERROR - {environment.EnvironmentName.ToLowerInvariant()}", what);

    private static EnqueueOptions Once(string what) => new() { UniqueKey = what, UniqueFor = Quiet };

    [LoggerMessage(LogLevel.Warning, "The technical mailbox is not told: {What} ({Reason})")]
    private partial void LogLost(string what, string reason);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SendOfficeMail))]
[JsonSerializable(typeof(SendAccountMail))]
[JsonSerializable(typeof(TellOfDeadJobs))]
internal sealed partial class MailJson : JsonSerializerContext;
