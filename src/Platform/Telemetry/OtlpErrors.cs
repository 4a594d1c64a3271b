using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;

namespace Stoa.Platform.Telemetry;

/// <summary>Logged errors as log records by OTLP, where an endpoint is set: collectors raise alarms by them.</summary>
internal static class OtlpErrors
{
    public static void AddOtlpErrors(this WebApplicationBuilder builder)
    {
        if (!OtlpExport.IsWanted(builder.Configuration, "LOGS"))
        {
            return;
        }
        builder.Logging.AddOpenTelemetry(logs =>
        {
            logs.IncludeFormattedMessage = true;
            logs.SetResourceBuilder(OtlpExport.Resource()).AddOtlpExporter();
        });
        builder.Logging.AddFilter<OpenTelemetryLoggerProvider>(static level => level >= LogLevel.Error);
    }
}
