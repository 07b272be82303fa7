"""Creates a stack from the template in an emulator of AWS: deploy.py ENDPOINT TEMPLATE FOLDER STACK

SAM's own translator makes it CloudFormation, a bootstrap of two lines starts each function's binary
in FOLDER. Prints the stack's outputs as JSON. What the emulator cannot do is changed on the way,
each in a function that says so.
"""

import io
import json
import sys
import zipfile

import boto3
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

CODE = "code"


class ManagedPolicies:
    """What SAM asks IAM for."""

    def load(self):
        names = ["AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole"]
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in names}


def main(endpoint, template_path, folder, stack):
    def client(service):
        return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1")

    with open(template_path, encoding="utf-8") as file:
        template = yaml_parse(file)
    store = client("s3")
    store.create_bucket(Bucket=CODE)
    upload_functions(store, template, folder)
    template = transform(template, {}, ManagedPolicies())
    without_metric_math(template)
    without_tls_only(template)
    # Larger than what goes into a request.
    store.put_object(Bucket=CODE, Key="template.json", Body=json.dumps(template))
    formation = client("cloudformation")
    url = f"{endpoint}/{CODE}/template.json"
    formation.create_stack(StackName=stack, TemplateURL=url, Capabilities=["CAPABILITY_IAM"])
    wait(formation, stack)
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
    }
    outputs = formation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    add_routes(client("apigatewayv2"), template, names)
    add_time_to_live(client("dynamodb"), template, names)
    print(json.dumps({"outputs": outputs, "resources": names}))


def upload_functions(store, template, folder):
    template["Globals"]["Function"].pop("CodeUri")
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        binary = resource["Metadata"]["BuildProperties"]["Binary"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            bootstrap = zipfile.ZipInfo("bootstrap")
            bootstrap.external_attr = 0o755 << 16
            file.writestr(bootstrap, f"#!/bin/sh\nexec '{folder}/{binary}'\n")
        store.put_object(Bucket=CODE, Key=f"{binary}.zip", Body=archive.getvalue())
        resource["Properties"]["CodeUri"] = {"Bucket": CODE, "Key": f"{binary}.zip"}


def without_metric_math(template):
    """The emulator's alarms watch one metric: the first of each expression."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            first = next(m["MetricStat"] for m in properties.pop("Metrics") if "MetricStat" in m)
            properties.update(first["Metric"], Period=first["Period"], Statistic=first["Stat"])


def without_tls_only(template):
    """The emulator is reached without TLS, and it does enforce the policies that forbid that."""
    for name in ("BucketPolicy", "ParkedQueuePolicy"):
        del template["Resources"][name]


def wait(formation, stack):
    try:
        settings = {"Delay": 1, "MaxAttempts": 120}
        formation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=settings)
    except Exception as error:
        events = formation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if "FAILED" in event["ResourceStatus"]
        ]
        sys.exit("\n".join([str(error), *failed]))


def add_routes(gateway, template, names):
    """The emulator passes over the `Body` of an HTTP API."""
    api = names["Api"]
    integrations = {}
    for path, methods in template["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            function = uri.rsplit("${", 1)[1].split(".Arn", 1)[0]
            if function not in integrations:
                made = gateway.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=f"arn:aws:lambda:us-east-1:000000000000:function:{names[function]}",
                    PayloadFormatVersion="2.0",
                )
                integrations[function] = made["IntegrationId"]
            method = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            key = "$default" if operation.get("isDefaultRoute") else f"{method} {path}"
            target = f"integrations/{integrations[function]}"
            gateway.create_route(ApiId=api, RouteKey=key, Target=target)


def add_time_to_live(tables, template, names):
    """The emulator passes over what a table says of it."""
    for name, resource in template["Resources"].items():
        expiry = resource.get("Properties", {}).get("TimeToLiveSpecification")
        if expiry:
            tables.update_time_to_live(TableName=names[name], TimeToLiveSpecification=expiry)


if __name__ == "__main__":
    main(*sys.argv[1:])
