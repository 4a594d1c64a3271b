using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Users;
using Stoa.Platform;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Assistants.Mail;

internal static class MailServices
{
    private static readonly (string Variable, string Setting)[] Aliases =
    [
        ("SMTP_ADDRESS", "Host"), ("SMTP_PORT", "Port"), ("SENDER_EMAIL", "SenderEmail"),
        ("SENDER_PASSWORD", "Password"), ("SENDER_NAME", "SenderName"),
        ("AWS_SES_REGION", "SesRegion"), ("AWS_ACCESS_KEY_ID", "SesAccessKeyId"), ("AWS_SECRET_ACCESS_KEY", "SesSecretAccessKey"),
        ("ADMIN_EMAIL_RECEIVERS", "AdminReceivers"), ("TECHNICAL_EMAIL_RECEIVERS", "TechnicalReceivers"),
        ("PURCHASES_EMAIL_RECEIVERS", "PurchasesReceivers"), ("MOJODEX_WEBAPP_URI", "WebappUrl"),
    ];

    public static void AddMail(this WebApplicationBuilder builder)
    {
        foreach (var (variable, setting) in Aliases)
        {
            builder.AddAlias(variable, $"{MailOptions.Section}:{setting}");
        }
        var services = builder.Services;
        services.AddSettings<MailOptions>(MailOptions.Section);
        services.AddSingleton<IValidateOptions<MailOptions>, MailOptionsValidator>();
        services.AddSingleton<Mailer>();
        services.AddSingleton<TechnicalMail>();
        services.AddScoped<PasswordLinks>();
        services.AddJob<SendAccountMail, SendAccountMailHandler>(
            SendAccountMail.Kind, MailJson.Default.SendAccountMail, SendAccountMail.Rules);
        services.AddJob<SendOfficeMail, SendOfficeMailHandler>(SendOfficeMail.Kind, MailJson.Default.SendOfficeMail, SendOfficeMail.Rules);
        services.AddJob<TellOfDeadJobs, TellOfDeadJobsHandler>(TellOfDeadJobs.Kind, MailJson.Default.TellOfDeadJobs, TellOfDeadJobs.Rules);
        services.AddSchedule(TellOfDeadJobs.Kind, new TellOfDeadJobs(), TellOfDeadJobs.Every);
    }
}
