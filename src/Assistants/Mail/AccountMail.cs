using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Mail;

/// <summary>Mails about an account, by their names in the original.</summary>
internal enum AccountMailKind
{
    Welcome,
    ResetForgottenPassword,
}

/// <summary>Mails a user about his account. The link in it is made when it is sent: no job holds one.</summary>
internal sealed record SendAccountMail(string UserId, AccountMailKind Mail)
{
    public const string Kind = "assistants.send_account_mail";

    public static readonly JobRules Rules = new() { Priority = JobPriority.High, MaxAge = TimeSpan.FromHours(1) };

    // Whoever asks again and again for somebody's address fills no mailbox.
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    public EnqueueOptions Once(JobOwner owner) => new() { Owner = owner, UniqueKey = $"{Mail}:{UserId}", UniqueFor = Pause };
}

internal sealed class SendAccountMailHandler(AssistantsDb db, Mailer mailer, PasswordLinks links, IOptions<MailOptions> options)
    : IJobHandler<SendAccountMail>
{
    public async Task RunAsync(SendAccountMail job, JobContext context, CancellationToken ct)
    {
        var user = await db.Users.AsNoTracking().FirstOrDefaultAsync(row => row.Id == job.UserId, ct)
            ?? throw JobFailure.Discard("The user is gone");
        var texts = AccountTexts.Of(user.LanguageCode);
        var letter = job.Mail switch
        {
            AccountMailKind.Welcome => Letter(context, user, texts.Welcome, MailButton.Login, options.Value.WebappUrl),
            AccountMailKind.ResetForgottenPassword => Letter(context, user, texts.Reset, MailButton.SetPassword, links.UrlFor(user)),
        };
        await mailer.SendAsync(letter, () => Task.CompletedTask, ct);
    }

    private static Letter Letter(JobContext context, UserRow user, (string Subject, string Text) words, MailButton button, string? link)
    {
        var (subject, text) = words;
        return new($"account.{context.JobId:n}", [user.Email], subject,
            MailTemplate.Text(user.LanguageCode, text, button, link, unsubscribe: null))
        {
            Html = MailTemplate.Html(user.LanguageCode, subject, SafeHtml.OfText(text), button, link, unsubscribe: null),
        };
    }
}

/// <summary>
/// Subjects and texts; blank lines part paragraphs. They name nobody: whoever signs up with the address of another has no words of his own
/// sent there.
/// </summary>
internal sealed record AccountTexts((string Subject, string Text) Welcome, (string Subject, string Text) Reset)
{
    private static readonly Dictionary<string, AccountTexts> Languages = new(StringComparer.Ordinal)
    {
        ["en"] = new(
            ("Welcome", "Hello,\n\nyour assistant is ready. Tell it what you are working on: it writes with you, finds the to-dos in what was said and reminds you of them."),
            ("Your new password",
                "Hello,\n\nsomebody, probably you, has asked for a new password. The button leads to where you set it; it works once, within an hour.\n\nIf it was not you, you need not do anything: your password stays as it is.")),
        ["fr"] = new(
            ("Bienvenue",
                "Bonjour,\n\nvotre assistant est prêt. Dites-lui à quoi vous travaillez : il rédige avec vous, repère les tâches dans ce qui a été dit et vous les rappelle."),
            ("Votre nouveau mot de passe",
                "Bonjour,\n\nquelqu’un, sans doute vous, a demandé un nouveau mot de passe. Le bouton mène à la page où vous le choisissez ; il fonctionne une fois, pendant une heure.\n\nSi ce n’était pas vous, il n’y a rien à faire : votre mot de passe reste le même.")),
        ["es"] = new(
            ("Le damos la bienvenida",
                "Hola:\n\nsu asistente está listo. Cuéntele en qué trabaja: escribe con usted, encuentra las tareas en lo que se ha dicho y se las recuerda."),
            ("Su nueva contraseña",
                "Hola:\n\nalguien, probablemente usted, ha pedido una nueva contraseña. El botón lleva a donde puede elegirla; funciona una vez, durante una hora.\n\nSi no ha sido usted, no tiene que hacer nada: su contraseña sigue siendo la misma.")),
    };

    public static AccountTexts Of(string language) =>
        Languages.GetValueOrDefault(language.Length >= 2 ? language[..2].ToLowerInvariant() : language) ?? Languages["en"];
}
