"""An ECR repository, images pushed by its API, and a launch template that runs them."""

import base64
import hashlib
import json

from account import ACCOUNT, REGION, ec2, ecr, refused

REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
MACHINES = [{"Name": "name", "Values": ["al2023-ami-2023*x86_64"]}]


class Images:
    """`versions` has the launch template version that runs each image."""

    def __init__(self, network):
        tags = [{"Key": "team", "Value": "news"}]
        repository = ecr.create_repository(
            repositoryName="web", imageTagMutability="IMMUTABLE", tags=tags
        )
        assert repository["repository"]["repositoryUri"] == REPOSITORY
        refused("RepositoryAlreadyExistsException", 400, ecr.create_repository, repositoryName="web")
        self.versions = {}
        first = self._push("v1", {"lab.version": "v1", "lab.boot-seconds": "10"})
        self._template(network, first)
        second = self._push("v2", {"lab.version": "v2", "lab.boot-seconds": "10"})
        broken = self._push("broken", {"lab.version": "broken", "lab.health": "fail"})
        for name, digest in (("v2", second), ("broken", broken)):
            self.versions[name] = self._version(name, digest)

    def _layer(self, data):
        """Uploads one layer in one part; returns its descriptor without the media type."""
        upload = ecr.initiate_layer_upload(repositoryName="web")["uploadId"]
        part = {"partFirstByte": 0, "partLastByte": len(data) - 1, "layerPartBlob": data}
        ecr.upload_layer_part(repositoryName="web", uploadId=upload, **part)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        done = {"repositoryName": "web", "uploadId": upload}
        wrong = "sha256:" + "0" * 64
        refused(
            "InvalidLayerException", 400, ecr.complete_layer_upload, layerDigests=[wrong], **done
        )
        ecr.complete_layer_upload(layerDigests=[digest], **done)
        return {"digest": digest, "size": len(data)}

    def _push(self, tag, labels):
        data = json.dumps({"config": {"Labels": labels}}).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        config = {"mediaType": CONFIG, "digest": digest, "size": len(data)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        image = {"repositoryName": "web", "imageManifest": json.dumps(manifest), "imageTag": tag}
        refused("LayersNotFoundException", 400, ecr.put_image, **image)
        assert self._layer(data)["digest"] == digest
        found = ecr.batch_check_layer_availability(repositoryName="web", layerDigests=[digest])
        assert found["layers"][0]["layerAvailability"] == "AVAILABLE"
        pushed = ecr.put_image(**image)["image"]["imageId"]["imageDigest"]
        refused("ImageAlreadyExistsException", 400, ecr.put_image, **image)
        moved = {**image, "imageManifest": json.dumps({**manifest, "annotations": {"a": "b"}})}
        refused("ImageTagAlreadyExistsException", 400, ecr.put_image, **moved)
        return pushed

    def _user_data(self, digest):
        script = f"#!/bin/sh\ndocker run -d -p 80:8080 {REPOSITORY}@{digest}\n"
        return base64.b64encode(script.encode()).decode()

    def _template(self, network, digest):
        machines = ec2.describe_images(Owners=["amazon"], Filters=MACHINES)["Images"]
        machine = max(machines, key=lambda image: image["CreationDate"])["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[machine])
        data = {
            "ImageId": machine,
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Name": "web"},
            "SecurityGroupIds": [network.fleet_group],
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            "UserData": self._user_data(digest),
        }
        made = {"LaunchTemplateName": "web", "LaunchTemplateData": data}
        ec2.create_launch_template(**made, ClientToken="first")
        again = ec2.create_launch_template(**made, ClientToken="first")
        assert again["LaunchTemplate"]["LatestVersionNumber"] == 1
        taken = "InvalidLaunchTemplateName.AlreadyExistsException", 400
        refused(*taken, ec2.create_launch_template, **made)
        self.versions["v1"] = "1"

    def _version(self, name, digest):
        made = ec2.create_launch_template_version(
            LaunchTemplateName="web",
            SourceVersion="1",
            VersionDescription=name,
            LaunchTemplateData={"UserData": self._user_data(digest)},
        )["LaunchTemplateVersion"]
        assert made["LaunchTemplateData"]["InstanceType"] == "t3.micro", made
        return str(made["VersionNumber"])

    def tear_down(self):
        ec2.modify_launch_template(LaunchTemplateName="web", DefaultVersion="2")
        gone = ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1", "2"])
        assert len(gone["SuccessfullyDeletedLaunchTemplateVersions"]) == 1, gone
        assert len(gone["UnsuccessfullyDeletedLaunchTemplateVersions"]) == 1, gone
        ec2.delete_launch_template(LaunchTemplateName="web")
        missing = "InvalidLaunchTemplateName.NotFoundException", 400
        refused(*missing, ec2.describe_launch_templates, LaunchTemplateNames=["web"])
        refused("RepositoryNotEmptyException", 400, ecr.delete_repository, repositoryName="web")
        images = ecr.list_images(repositoryName="web")["imageIds"]
        left = ecr.batch_delete_image(repositoryName="web", imageIds=images)["failures"]
        assert left == [], left
        ecr.delete_repository(repositoryName="web")
        refused("RepositoryNotFoundException", 400, ecr.list_images, repositoryName="web")
